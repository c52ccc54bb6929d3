-- What a person may do to a live run: pause, resume, and change single steps. Lock order: the run's row, then its steps.
-- Every change of a step is followed by rework_steps, which works out anew what that means for all others.

create or replace function dependency_met(d steps) returns boolean language sql immutable as $$
  select d.status = 'succeeded' or (d.status = 'skipped' and coalesce(d.error ->> 'reason' in ('by_hand', 'when'), false))
$$;

create or replace function refers_to(p_arguments jsonb, p_step text) returns boolean language sql immutable as $$
  select p_arguments::text ~ ('(^|[^$])\$\{\s*' || p_step || '[\s.}[]')
$$;

-- The steps that can never run, each with the one to blame: what follows a failed step (everything, if that step was
-- required), what refers to the output of a step that a person or its condition skipped, and what follows those.
create or replace function doomed_steps(p_run uuid) returns table (id text, blame text) language sql stable as $$
  with recursive mine as (
    select * from steps where run_id = p_run
  ), doomed(id, blame) as (
    select s.id, b.id
    from mine b join mine s on s.id <> b.id and case b.status
      when 'failed' then b.required or s.id = any (b.dependents)
      else s.id = any (b.dependents) and refers_to(s.arguments, b.id) end
    where (b.status = 'failed' or (b.status = 'skipped' and b.error ->> 'reason' in ('by_hand', 'when')))
      and s.status in ('pending', 'ready', 'waiting', 'skipped') and not dependency_met(s)
    union
    select s.id, d.blame
    from doomed d join mine b on b.id = d.id join mine s on s.id = any (b.dependents)
    where s.status in ('pending', 'ready', 'waiting', 'skipped') and not dependency_met(s)
  )
  select d.id, min(d.blame) from doomed d group by d.id
$$;

-- After a change: skip what can't run any more, bring back what can again, count what each step still waits for, make
-- ready what waits for nothing, count the open steps. p_rings: 1 when the caller rings what is ready, 0 when not.
create or replace function rework_steps(r runs, p_events jsonb, p_rings int) returns jsonb language plpgsql as $$
declare
  v_events jsonb := p_events;
  v_ready text[];
  v_open int;
  v record;
begin
  for v in
    update steps s
    set status = 'skipped', finished_at = clock_timestamp(), due_at = null,
        error = jsonb_build_object('reason', 'after', 'step', d.blame)
    from doomed_steps(r.id) d
    where s.run_id = r.id and s.id = d.id and s.status in ('pending', 'ready', 'waiting')
    returning s.id, format('step %s %s', d.blame, (select status from steps b where b.run_id = r.id and b.id = d.blame))
      as because
  loop
    r.last_seq := r.last_seq + 1;
    v_events := v_events || record_event(r.id, r.tenant, r.last_seq, 'step.skipped', v.id,
                                         jsonb_build_object('because', v.because));
  end loop;
  for v in
    update steps s set status = 'pending', finished_at = null, error = null
    where s.run_id = r.id and s.status = 'skipped' and not dependency_met(s)
      and s.id not in (select d.id from doomed_steps(r.id) d)
    returning s.id
  loop
    r.last_seq := r.last_seq + 1;
    v_events := v_events || record_event(r.id, r.tenant, r.last_seq, 'step.reopened', v.id, '{"how": "revived"}');
  end loop;
  with counted as (
    select s.id, count(d.id) filter (where not dependency_met(d)) as unmet
    from steps s left join steps d on d.run_id = s.run_id and d.id = any (s.depends_on)
    where s.run_id = r.id and s.status = 'pending' group by s.id
  ), settled as (
    update steps s
    set unmet = c.unmet, status = case when c.unmet = 0 and r.paused_at is null then 'ready' else 'pending' end,
        ready_at = case when c.unmet = 0 then clock_timestamp() end, rings = p_rings,
        rung_at = case when c.unmet = 0 and r.paused_at is null then clock_timestamp() end
    from counted c where s.run_id = r.id and s.id = c.id returning s.id, s.status, s.position
  )
  select coalesce(array_agg(id order by position), '{}') into v_ready from settled where status = 'ready';
  select count(*) into v_open from steps
  where run_id = r.id and status in ('pending', 'ready', 'running', 'waiting', 'in_doubt');
  update runs
  set last_seq = r.last_seq, open_steps = v_open,
      rung_at = case when v_open > 0 then case phase when 'execute' then chordless() else rung_at end end
  where id = r.id;
  return jsonb_build_object('events', v_events, 'ready', to_jsonb(v_ready),
                            'phase', case when v_open = 0 and r.paused_at is null then 'reflect' end);
end $$;

create or replace function refused(p_why text) returns jsonb language sql immutable as $$
  select jsonb_build_object('refused', p_why)
$$;

-- What is ready is held back (pending with nothing unmet); what runs may end; claim_step holds back what comes later.
create or replace function pause_run(p_run uuid, p_tenant text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run and tenant = p_tenant for update;
  if not found then
    return null;
  elsif r.phase is null or r.phase = 'remember' or r.cancel_requested then
    return refused(format('The run is %s: there is nothing left to pause.', r.status));
  elsif r.paused_at is not null then
    return jsonb_build_object('events', jsonb_build_array());
  end if;
  update steps set status = 'pending', rung_at = null where run_id = p_run and status = 'ready';
  update runs set paused_at = clock_timestamp(), status = 'paused', last_seq = r.last_seq + 1 where id = p_run;
  return jsonb_build_object('events', jsonb_build_array(
    record_event(p_run, r.tenant, r.last_seq + 1, 'run.paused', null, '{}')));
end $$;

create or replace function resume_run(p_run uuid, p_tenant text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_event jsonb;
begin
  select * into r from runs where id = p_run and tenant = p_tenant for update;
  if not found then
    return null;
  elsif r.phase is null then
    return refused(format('The run has ended (%s); fork it to go on from where it ended.', r.status));
  elsif r.paused_at is null then
    return jsonb_build_object('events', jsonb_build_array());
  end if;
  r.paused_at := null;
  r.last_seq := r.last_seq + 1;
  v_event := record_event(p_run, r.tenant, r.last_seq, 'run.resumed', null, '{}');
  update runs
  set paused_at = null, paused_because = null, review = review and phase = 'plan', rung_at = clock_timestamp(), rings = 1, last_seq = r.last_seq, status = case
    when phase = 'execute' then 'executing' when phase = 'plan' and phase_worker is null then 'queued'
    when phase = 'plan' then 'planning' else 'reflecting' end
  where id = p_run;
  if (r.phase = 'execute' or r.open_steps > 0) and r.held_until is null then
    return rework_steps(r, jsonb_build_array(v_event), 1);
  end if;
  return jsonb_build_object('events', jsonb_build_array(v_event),
                            'phase', case when r.phase_worker is null then r.phase end);
end $$;

-- Why a person may not do that to this step now; null when they may.
create or replace function refusal(r runs, s steps, p_verb text) returns text language sql stable as $$
  select case
    when r.phase is null then format('The run has ended (%s), so its history is closed; fork it instead.', r.status)
    when r.cancel_requested then 'The run is being cancelled.'
    when r.phase <> 'execute' then format('The run is %s: its steps can be changed only while it executes.', r.status)
    when not s.status = any (case p_verb
      when 'retry' then '{failed,waiting}'
      when 'again' then '{in_doubt}'
      when 'leave' then '{in_doubt}'
      when 'done' then '{in_doubt}'
      when 'skip' then '{pending,ready,waiting,running,failed,in_doubt}'
      else '{pending,ready,waiting,running,failed,in_doubt,skipped,succeeded}' end::text[])
      then format('Step %s is %s; %s does not apply to that.', s.id, s.status, p_verb)
    when s.status = 'succeeded' and exists (
      select from steps d where d.run_id = s.run_id and d.id = any (s.dependents)
      and d.status not in ('pending', 'ready', 'skipped'))
      then format('Steps that follow %s have begun with its result; fork the run from that step instead.', s.id)
  end
$$;

-- p_verb: retry (as it is), rerun (with the arguments p_value), skip, override (p_value is the result); of a step in
-- doubt: again (it did not happen), done (it did, with the result p_value), leave (do without it).
create or replace function change_step(p_run uuid, p_tenant text, p_step text, p_verb text, p_value jsonb)
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
begin
  select * into r from runs where id = p_run and tenant = p_tenant for update;
  select * into s from steps where run_id = r.id and id = p_step;
  if s.id is null then
    return null;
  elsif refusal(r, s, p_verb) is not null then
    return refused(refusal(r, s, p_verb));
  end if;
  if s.status = 'running' then -- its late result will be refused
    perform record_attempt(s, 'abandoned', null, '{"detail": "A person decided otherwise while this attempt ran."}');
  end if;
  perform resolve_letters(p_run, p_step, p_verb, null);
  if p_verb in ('override', 'done') then
    return settle_by_hand(r, s, p_value, 'person');
  end if;
  if p_verb in ('skip', 'leave') then
    update steps
    set status = 'skipped', error = '{"reason": "by_hand"}', finished_at = clock_timestamp(), due_at = null,
        deadline = null, worker = null
    where run_id = p_run and id = p_step;
  else
    update steps
    set status = 'pending', failures = 0, error = null, output = null, finished_at = null, due_at = null,
        deadline = null, worker = null, arguments = coalesce(p_value, arguments),
        input = case when p_value is null then input end, waited = waited and p_value is null,
        unsure = unsure and p_value is null, -- other arguments are another effect
        effect_key = case when p_value is null then effect_key else format('%s:%s:%s', p_run, p_step, attempt + 1) end
    where run_id = p_run and id = p_step;
    update steps set status = 'pending' where run_id = p_run and id = any (s.dependents) and status = 'ready';
  end if;
  r.last_seq := r.last_seq + 1;
  return rework_steps(r, jsonb_build_array(case
    when p_verb in ('skip', 'leave') then
      record_event(p_run, r.tenant, r.last_seq, 'step.skipped', p_step, '{"because": "a person skipped it"}')
    else record_event(p_run, r.tenant, r.last_seq, 'step.reopened', p_step, jsonb_strip_nulls(jsonb_build_object(
      'how', p_verb, 'arguments', p_value))) end), 1);
end $$;

-- The step has this result because a person (or, for a step in doubt, its own late attempt) says so.
create or replace function settle_by_hand(r runs, s steps, p_output jsonb, p_by text) returns jsonb language plpgsql as $$
begin
  p_output := kept(s.tenant, s.run_id, p_output);
  update steps
  set status = 'succeeded', attempt = attempt + 1, output = p_output, error = null, due_at = null, deadline = null,
      worker = null, finished_at = clock_timestamp()
  where run_id = s.run_id and id = s.id returning * into s;
  s.started_at := null;
  perform record_attempt(s, case p_by when 'person' then 'overridden' else 'late' end, p_output, null);
  r.last_seq := r.last_seq + 1;
  return rework_steps(r, jsonb_build_array(record_event(s.run_id, r.tenant, r.last_seq, 'step.succeeded', s.id,
    jsonb_build_object('attempt', s.attempt, 'output', p_output, 'by', p_by))), 1);
end $$;
