-- A fork: a new run that shares what its source has finished. The source's history stays closed.

-- All that follows these steps, and they themselves.
create or replace function steps_from(p_run uuid, p_steps text[]) returns text[] language sql stable as $$
  with recursive mine as (
    select id, dependents from steps where run_id = p_run
  ), from_it(id) as (
    select unnest(p_steps)
    union
    select unnest(m.dependents) from from_it f join mine m on m.id = f.id
  )
  select coalesce(array_agg(id), '{}') from from_it
$$;

-- p: source, id, tenant, resolution (of the source's dead letters), letter (that must still be open), restart,
-- from_step, patches {step: {output} or {arguments, tool, effect, timeout, retry, max_attempts}}.
-- Returns {events, phase to ring}, {refused}, or null when there is no such run.
create or replace function fork_run(p jsonb) returns jsonb language plpgsql as $$
declare
  o runs%rowtype;
  r runs%rowtype;
  v_restarts boolean;
  v_shares boolean;
  v_answer jsonb;
begin
  select * into o from runs where id = (p ->> 'source')::uuid and tenant = p ->> 'tenant' for update;
  if not found then
    return null;
  elsif o.phase is not null then
    return refused(format('The run is %s: change its steps in place, or cancel it first.', o.status));
  elsif p ->> 'letter' is not null and not exists (
    select from dead_letters where id = (p ->> 'letter')::uuid and resolved_at is null) then
    return refused('This dead letter was resolved before.');
  end if;
  perform resolve_letters(o.id, null, p ->> 'resolution', (p ->> 'id')::uuid);
  v_restarts := coalesce((p ->> 'restart')::boolean, false);
  v_shares := o.plan_revision > 0 and not (v_restarts and not exists (
    select from plans where run_id = o.id and source = 'caller')); -- a caller's plan is all that its run ever had
  insert into runs (id, tenant, status, phase, request, user_id, conversation_id, agent, labels, priority, brain,
                    plan_revision, last_seq, forked_from, forked_step, rung_at, rings, started_at)
  values ((p ->> 'id')::uuid, o.tenant, case when v_shares then 'executing' else 'queued' end,
          case when v_shares then 'execute' else 'plan' end, o.request, o.user_id, o.conversation_id, o.agent, o.labels,
          o.priority, case when v_shares then o.brain end, case when v_shares then o.plan_revision else 0 end, 1,
          o.id, p ->> 'from_step', clock_timestamp(), 1, case when v_shares then clock_timestamp() end)
  returning * into r;
  if o.request is not null then
    insert into messages (tenant, conversation_id, run_id, role, text)
    values (o.tenant, o.conversation_id, r.id, 'user', o.request);
  end if;
  v_answer := jsonb_build_array(record_event(r.id, r.tenant, 1, 'run.created', null, jsonb_build_object(
    'request', r.request, 'conversationId', r.conversation_id, 'userId', r.user_id, 'forkedFrom', o.id,
    'fromStep', p ->> 'from_step')));
  if not v_shares then
    return jsonb_build_object('events', v_answer, 'phase', 'plan');
  end if;
  perform copy_steps(o, r.id, v_restarts, p ->> 'from_step', coalesce(nullif(p -> 'patches', 'null'), '{}'));
  return share_prefix(r, v_answer);
end $$;

-- Finished steps keep their results; what is run anew is a new effect; what had not finished goes on as the effect that
-- it was, and asks first or stays in doubt where its last attempt left that open.
create or replace function copy_steps(o runs, p_fork uuid, p_all boolean, p_from text, p_patches jsonb) returns void
language sql as $$
  insert into plans (run_id, revision, tenant, source, note, prompt_version)
  select p_fork, revision, tenant, source, note, prompt_version from plans
  where run_id = o.id and revision = o.plan_revision;
  with changed as (
    select steps_from(o.id, coalesce(array_agg(id), '{}')) as ids from (
      select p_from where p_from is not null
      union select key from jsonb_each(p_patches) where not value ? 'output'
      union select unnest(s.dependents) from steps s
      where s.run_id = o.id and p_patches -> s.id ? 'output') as roots(id)
  ), sorted as (
    select s.*, p_patches -> s.id as patch, p_all or s.id = any (c.ids) as anew, case
      when p_patches -> s.id ? 'output' then 'succeeded'
      when p_all or s.id = any (c.ids) then 'pending'
      when dependency_met(s) then s.status
      when s.effect = 'unsafe' and s.error ->> 'reason' in ('lost', 'timed_out', 'handed_back', 'broken') then 'in_doubt'
      else 'pending' end as becomes
    from steps s cross join changed c where s.run_id = o.id
  )
  insert into steps (run_id, id, tenant, position, plan_revision, tool, arguments, input, depends_on, dependents, unmet,
                     status, required, effect, timeout, retry, max_attempts, why, flow, control, flow_keys, queue, output, error, effect_key,
                     unsure, reused_from, started_at, finished_at)
  select p_fork, id, tenant, position, plan_revision, coalesce(patch ->> 'tool', tool),
         coalesce(patch -> 'arguments', arguments), case when becomes in ('succeeded', 'in_doubt') then input end,
         depends_on, dependents, 0, becomes, required, coalesce(patch ->> 'effect', effect),
         coalesce((patch ->> 'timeout')::float, timeout), coalesce(patch -> 'retry', retry),
         coalesce((patch ->> 'max_attempts')::int, max_attempts), why, flow, control,
         flow_marks(tenant, o.agent, coalesce(patch ->> 'tool', tool), flow), queue,
         case when patch ? 'output' then kept(o.tenant, p_fork, patch -> 'output') when becomes = 'succeeded' then output end,
         case when becomes in ('in_doubt', 'skipped') then error end,
         case when not anew then coalesce(effect_key, format('%s:%s', o.id, id)) end, not anew and attempt > 0,
         case when becomes = 'succeeded' and not coalesce(patch ? 'output', false) then coalesce(reused_from, o.id) end,
         case when becomes = 'succeeded' then started_at end,
         case when becomes in ('succeeded', 'skipped') then finished_at end
  from sorted;
  insert into blob_uses (run_id, hash, tenant)
  select p_fork, value ->> '$blob', o.tenant from steps s cross join lateral (values (s.output), (s.input)) as v(value)
  where s.run_id = p_fork and is_blob(value) on conflict do nothing;
$$;

create or replace function share_prefix(r runs, p_events jsonb) returns jsonb language plpgsql as $$
declare
  v_events jsonb := p_events;
  v_answer jsonb;
  s steps%rowtype;
begin
  r.last_seq := r.last_seq + 1;
  v_events := v_events || (
    select record_event(r.id, r.tenant, r.last_seq, 'plan.created', null, jsonb_build_object(
      'revision', p.revision, 'source', p.source, 'note', p.note, 'steps', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', t.id, 'tool', t.tool, 'arguments', t.arguments, 'dependsOn', t.depends_on, 'why', t.why)
          order by t.position), '[]')
        from steps t where t.run_id = r.id)))
    from plans p where p.run_id = r.id);
  for s in select * from steps where run_id = r.id and status in ('succeeded', 'in_doubt') order by position loop
    r.last_seq := r.last_seq + 1;
    v_events := v_events || case
      when s.status = 'in_doubt' then record_event(r.id, r.tenant, r.last_seq, 'step.in_doubt', s.id,
        jsonb_build_object('attempt', 0, 'error', s.error))
      else record_event(r.id, r.tenant, r.last_seq, 'step.reused', s.id,
        jsonb_build_object('from', s.reused_from, 'output', s.output)) end;
  end loop;
  v_answer := rework_steps(r, v_events, 0);
  if v_answer ->> 'phase' = 'reflect' then
    update runs set phase = 'reflect', status = 'reflecting', rung_at = clock_timestamp() where id = r.id;
    return v_answer;
  end if;
  return v_answer || '{"phase": "execute"}';
end $$;
