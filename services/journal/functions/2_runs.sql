-- How a run moves from phase to phase. Every function locks the run's row first; a stale fence changes nothing.

-- Accept = commit: run, conversation, the user's message, idempotency key and first event at once. A caller's plan is
-- written too; such a run has nothing to plan and starts with its execution.
create or replace function create_run(p jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_id uuid := (p ->> 'id')::uuid;
  v_tenant text := p ->> 'tenant';
  v_profile jsonb;
  v_budget jsonb;
  v_busy uuid;
  v_events jsonb;
  v_others jsonb;
begin
  if exists (select from runs where id = v_id) then
    return jsonb_build_object('events', jsonb_build_array()); -- repeated: the reply of the first call was lost
  end if;
  if p -> 'idempotency' is not null and p -> 'idempotency' <> 'null' then
    insert into idempotency_keys (tenant, route, key, body_hash, response)
    values (v_tenant, p #>> '{idempotency,route}', p #>> '{idempotency,key}', p #>> '{idempotency,body_hash}',
            p #> '{idempotency,response}')
    on conflict do nothing;
    if not found then
      return jsonb_build_object('events', jsonb_build_array());
    end if;
  end if;
  if coalesce(p ->> 'dedup_key', p ->> 'coalesce') is not null then
    v_others := stands_for(p);
    if v_others is not null then
      update idempotency_keys -- a repeat is told of that run too
      set response = response || jsonb_build_object('workflowId', v_others -> 'existing',
                                                    'updatesUrl', '/api/agent/updates?workflowId=' || (v_others ->> 'existing'))
      where tenant = v_tenant and key = p #>> '{idempotency,key}' and route = p #>> '{idempotency,route}';
      return v_others;
    end if;
  end if;
  insert into conversations (tenant, id, user_id)
  values (v_tenant, p ->> 'conversation_id', p ->> 'user_id') on conflict do nothing;
  if p ->> 'on_busy' is not null then
    v_busy := busy_run(v_tenant, p ->> 'conversation_id');
    if v_busy is not null and p ->> 'on_busy' = 'reject' then
      delete from idempotency_keys
      where tenant = v_tenant and key = p #>> '{idempotency,key}' and route = p #>> '{idempotency,route}';
      delete from deduplications where tenant = v_tenant and kind = 'run' and id = v_id;
      return jsonb_build_object('busy', v_busy, 'events', jsonb_build_array());
    elsif v_busy is not null and p ->> 'on_busy' = 'steer' then
      v_events := steer_run(v_busy, p ->> 'request');
      if v_events is not null then
        update idempotency_keys -- a repeat is told of the run that took it in
        set response = response || jsonb_build_object('workflowId', v_busy, 'steered', true,
                                                      'updatesUrl', '/api/agent/updates?workflowId=' || v_busy)
        where tenant = v_tenant and key = p #>> '{idempotency,key}' and route = p #>> '{idempotency,route}';
        update deduplications set id = v_busy where tenant = v_tenant and kind = 'run' and id = v_id;
        return jsonb_build_object('busy', v_busy, 'steered', true, 'events', v_events);
      end if;
    end if;
  end if;
  if p ->> 'agent' is not null then -- as it is now: a change of the agent is for later runs
    select jsonb_build_object('instructions', instructions, 'model', model, 'tools', tools, 'memory', memory, 'budget', budget)
    into v_profile from agents where tenant = v_tenant and name = p ->> 'agent';
  end if;
  if p ->> 'instructions' is not null then
    v_profile := coalesce(v_profile, '{}') || jsonb_build_object('instructions', concat_ws(E'\n\n',
      v_profile ->> 'instructions', p ->> 'instructions'));
  end if;
  v_budget := coalesce(nullif(p -> 'budget', 'null'), nullif(v_profile -> 'budget', 'null'));
  insert into runs (id, tenant, status, phase, request, user_id, conversation_id, agent, profile, labels, priority,
                    last_seq, rung_at, rings, waits_for, due_at, traceparent, accounts, deadline, review)
  values (v_id, v_tenant, 'queued', 'plan', p ->> 'request', p ->> 'user_id', p ->> 'conversation_id', p ->> 'agent',
          v_profile - 'budget', coalesce(nullif(p -> 'labels', 'null'), '{}'), coalesce((p ->> 'priority')::int, 3), 1,
          case when v_busy is null then clock_timestamp() else parked() end, 1, v_busy,
          case when v_busy is not null then parked() end, p ->> 'traceparent',
          coalesce((select array_agg(a) from jsonb_array_elements_text(nullif(p -> 'accounts', 'null')) a), -- a parent's
                   array(select account from budgets where tenant = v_tenant and account = 'daily'))
            || case when v_budget is not null then array['run:' || v_id] else '{}' end,
          least((p ->> 'deadline')::timestamptz,
                clock_timestamp() + make_interval(secs => (v_budget #>> '{limits,seconds}')::double precision)),
          coalesce((p ->> 'review')::boolean, false))
  returning * into r;
  if v_budget is not null then
    insert into budgets (tenant, account, limits, on_exceed)
    values (v_tenant, 'run:' || v_id, v_budget -> 'limits', v_budget ->> 'onExceed');
  end if;
  if p ->> 'request' is not null and not p ? 'parent' then -- nobody talks to a child
    insert into messages (tenant, conversation_id, run_id, role, text)
    select v_tenant, p ->> 'conversation_id', null, t ->> 'role', t ->> 'text'
    from jsonb_array_elements(nullif(p -> 'turns', 'null')) with ordinality turns(t, n) order by n;
    insert into messages (tenant, conversation_id, run_id, role, text)
    values (v_tenant, p ->> 'conversation_id', v_id, 'user', p ->> 'request');
  end if;
  v_events := jsonb_build_array(record_event(v_id, v_tenant, 1, 'run.created', null, jsonb_build_object(
    'request', p ->> 'request', 'conversationId', p ->> 'conversation_id', 'userId', p ->> 'user_id')
    || case when p ? 'parent' then jsonb_build_object('parent', p -> 'parent') else '{}' end));
  if p -> 'plan' <> 'null' then
    v_events := v_events || (accept_plan(r, p -> 'plan') -> 'events');
  end if;
  if coalesce(p ->> 'not_before', p ->> 'ttl', p ->> 'callbacks', p ->> 'coalesce') is not null or v_busy is not null then
    v_others := submit_run(p);
  end if;
  return jsonb_build_object('events', v_events, 'busy', v_busy, 'others', coalesce(v_others, '[]'));
end $$;

-- The run that a conversation is busy with: the last of those that wait for each other. Locks the conversation.
create or replace function busy_run(p_tenant text, p_conversation text) returns uuid language plpgsql as $$
begin
  perform from conversations where tenant = p_tenant and id = p_conversation for update;
  return (select id from runs
          where tenant = p_tenant and conversation_id = p_conversation and phase is not null and request is not null
          order by created_at desc, id desc limit 1);
end $$;

-- What the user adds to a run that lives: taken in when its steps have ended. Null where that can't be any more, or
-- where no model makes the run's plans.
create or replace function steer_run(p_run uuid, p_text text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  if r.phase is null or r.phase not in ('plan', 'execute') or r.cancel_requested
     or exists (select from plans where run_id = p_run and source <> 'model') then
    return null;
  end if;
  insert into messages (tenant, conversation_id, run_id, role, text)
  values (r.tenant, r.conversation_id, p_run, 'user', p_text);
  update runs set last_seq = r.last_seq + 1, steers = steers || p_text where id = p_run;
  return jsonb_build_array(record_event(p_run, r.tenant, r.last_seq + 1, 'run.steered', null,
                                        jsonb_build_object('text', p_text)));
end $$;

-- Compare-and-set ownership of a phase. `reflect` also settles an execution whose steps have all ended.
create or replace function claim_phase(p_run uuid, p_phase text, p_worker text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  if not found or r.phase is null or r.cancel_requested or r.paused_at is not null then
    return null;
  end if;
  if p_phase = 'reflect' and r.phase = 'execute' and r.open_steps = 0 then
    r.phase := 'reflect';
  end if;
  if r.phase <> p_phase or r.phase_worker is not null or r.due_at > clock_timestamp() or r.held_until is not null then
    return null; -- another phase's turn, or somebody got there first: a doubled or late message
  end if;
  update runs
  set phase = p_phase, phase_worker = p_worker, phase_attempt = r.phase_attempt + 1, due_at = null,
      status = case p_phase when 'plan' then 'planning' else 'reflecting' end,
      started_at = coalesce(started_at, clock_timestamp()),
      steers_planned = case p_phase when 'plan' then cardinality(steers) else steers_planned end
  where id = p_run;
  return jsonb_build_object(
    'id', r.id, 'tenant', r.tenant, 'request', r.request, 'user_id', r.user_id, 'conversation_id', r.conversation_id,
    'agent', r.agent, 'brain', r.brain, 'answer', r.answer, 'error', r.error,
    'phase_attempt', r.phase_attempt + 1, 'phase_failures', r.phase_failures, 'created_at', wire_time(r.created_at),
    'plan_revision', r.plan_revision, 'accounts', r.accounts, 'profile', r.profile,
    'parent', (select parent_id from delegations where child_id = p_run),
    'review', r.review, 'depth', coalesce((select depth from delegations where child_id = p_run), 0), 'steered', r.steers, 'steering', r.steers[r.steers_planned + 1:], 'events', jsonb_build_array())
    || case when p_phase = 'reflect' or r.plan_revision > 0 then reflection_material(p_run, r.plan_revision) else '{}' end;
end $$;

-- What the critic judges, and a planner revises: the newest plan's note and source, and every step as it ended.
create or replace function reflection_material(p_run uuid, p_revision int) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'plan', (select jsonb_build_object('note', note, 'source', source) from plans
             where run_id = p_run and revision = p_revision),
    'steps', (select coalesce(jsonb_agg(jsonb_build_object(
                'id', id, 'tool', tool, 'why', why, 'arguments', coalesce(whole(tenant, input), arguments), 'status', status,
                'output', whole(tenant, output), 'error', error ->> 'detail', 'depends_on', depends_on, 'required', required, 'revision', plan_revision, 'planned', arguments)
                order by position), '[]')
              from steps where run_id = p_run))
$$;

-- Does this fence still own that phase? Locks the run.
create or replace function owned_run(p_run uuid, p_fence int, p_phase text) returns runs language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  if r.phase_attempt is distinct from p_fence or r.phase_worker is null or r.cancel_requested
     or (p_phase is not null and r.phase <> p_phase) then
    return null;
  end if;
  return r;
end $$;

-- The steps of a plan as rows; those that wait for nothing are ready.
create or replace function insert_steps(r runs, p_steps jsonb, p_limits boolean) returns void language sql as $$
  insert into steps (run_id, id, tenant, position, plan_revision, tool, arguments, depends_on, dependents, unmet, status,
                     required, effect, timeout, retry, max_attempts, why, flow, control, flow_keys, queue, ready_at, rung_at)
  select r.id, s.id, r.tenant, s.position, r.plan_revision + 1, s.tool, s.arguments, s.depends_on, s.dependents,
         cardinality(s.depends_on), case cardinality(s.depends_on) when 0 then 'ready' else 'pending' end,
         s.required, s.effect, s.timeout, s.retry, s.max_attempts, s.why, s.flow, nullif(s.control, 'null'),
         case when p_limits then flow_marks(r.tenant, r.agent, s.tool, s.flow) else '{}' end, 'execution',
         case cardinality(s.depends_on) when 0 then clock_timestamp() end,
         case cardinality(s.depends_on) when 0 then clock_timestamp() end
  from jsonb_to_recordset(p_steps) as s(
    id text, position int, tool text, arguments jsonb, depends_on text[], dependents text[], required boolean,
    effect text, timeout double precision, retry jsonb, max_attempts int, why text, flow text,
    control jsonb)
$$;

-- The versions of the tools that a run's steps call, as they are now.
create or replace function tool_versions(p_run uuid) returns jsonb language sql stable as $$
  select coalesce(jsonb_object_agg(name, version), '{}') from tools
  where name in (select tool from steps where run_id = p_run)
$$;

-- A step of a plan as events tell it.
create or replace function told_step(p_step jsonb) returns jsonb language sql immutable as $$
  select jsonb_build_object('id', p_step -> 'id', 'tool', p_step -> 'tool', 'arguments', p_step -> 'arguments',
                            'dependsOn', p_step -> 'depends_on', 'why', p_step -> 'why')
    || coalesce(nullif(p_step -> 'control', 'null'), '{}') - 'items' - 'team'
$$;

-- The plan, its steps and `plan.created`; then it is execution's turn, or with no steps reflection's. Returns the event.
create or replace function write_plan(r runs, p_plan jsonb) returns jsonb language plpgsql as $$
declare
  v_now timestamptz := clock_timestamp();
  v_steps int := jsonb_array_length(p_plan -> 'steps');
  v_phase text := case when v_steps = 0 then 'reflect' else 'execute' end;
begin
  perform insert_steps(r, p_plan -> 'steps', exists (select from flow_keys));
  insert into plans (run_id, revision, tenant, source, note, prompt_version, usage, tools)
  values (r.id, r.plan_revision + 1, r.tenant, p_plan ->> 'source', p_plan ->> 'note', p_plan ->> 'prompt_version',
          coalesce(nullif(p_plan -> 'usage', 'null'), '{}'), tool_versions(r.id));
  update runs
  set plan_revision = r.plan_revision + 1, last_seq = r.last_seq + 1, open_steps = v_steps, brain = p_plan ->> 'brain',
      usage = runs.usage || jsonb_strip_nulls(jsonb_build_object('plan', nullif(p_plan -> 'usage', '{}'))),
      phase = v_phase, status = case
        when paused_at is not null then 'paused' when v_phase = 'execute' then 'executing' else 'reflecting' end,
      started_at = coalesce(started_at, v_now), phase_worker = null, phase_failures = 0, rings = 1,
      rung_at = case v_phase when 'execute' then parked() else v_now end
  where id = r.id;
  return record_event(r.id, r.tenant, r.last_seq + 1, 'plan.created', null, jsonb_build_object(
    'revision', r.plan_revision + 1, 'source', p_plan ->> 'source', 'note', p_plan ->> 'note',
    'steps', (select coalesce(jsonb_agg(told_step(s)), '[]') from jsonb_array_elements(p_plan -> 'steps') as s)));
end $$;

create or replace function append_phase_events(p_run uuid, p_fence int, p_events jsonb) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, null);
  v_events jsonb := '[]';
  v_event jsonb;
begin
  if r.id is null then
    return null;
  end if;
  for v_event in select * from jsonb_array_elements(p_events) loop
    r.last_seq := r.last_seq + 1;
    v_events := v_events || record_event(p_run, r.tenant, r.last_seq, v_event ->> 'name', null, v_event -> 'data');
  end loop;
  update runs set last_seq = r.last_seq where id = p_run;
  return v_events;
end $$;

create or replace function accept_answer(p_run uuid, p_fence int, p_outcome jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, 'reflect');
  v_events jsonb;
begin
  if r.id is null then
    return null;
  end if;
  if r.request is not null and not exists (select from delegations where child_id = p_run)
     and not coalesce(r.profile ? 'replay', false) then
    insert into messages (tenant, conversation_id, run_id, role, text)
    values (r.tenant, r.conversation_id, p_run, 'assistant', p_outcome ->> 'answer');
  end if;
  v_events := jsonb_build_array(record_event(p_run, r.tenant, r.last_seq + 1, 'answer.completed', null,
                                             jsonb_build_object('text', p_outcome ->> 'answer')));
  r.error := coalesce(nullif(p_outcome -> 'error', 'null'), r.error); -- that of a deadline stays
  update runs
  set answer = p_outcome ->> 'answer', error = r.error, last_seq = r.last_seq + 1,
      usage = runs.usage || coalesce(nullif(p_outcome -> 'usage', 'null'), '{}'),
      phase = 'remember', phase_worker = null, phase_failures = 0, rung_at = clock_timestamp(), rings = 1
  where id = p_run;
  if (p_outcome -> 'remember')::boolean then
    return jsonb_build_object('phase', 'remember', 'events', v_events);
  end if;
  return jsonb_build_object('phase', null, 'events', v_events || end_run(p_run, 
    case when r.error is null then 'succeeded' else 'failed' end));
end $$;

create or replace function finish_run(p_run uuid, p_fence int, p_events jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, 'remember');
begin
  if r.id is null then
    return null;
  end if;
  return append_phase_events(p_run, p_fence, p_events)
    || end_run(p_run, case when r.error is null then 'succeeded' else 'failed' end);
end $$;

-- The last thing that happens to a run; returns its terminal event, with what its parent is told. The caller holds the
-- lock.
create or replace function end_run(p_run uuid, p_status text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
begin
  update runs
  set status = p_status, phase = null, phase_worker = null, due_at = null, paused_at = null,
      finished_at = clock_timestamp(), last_seq = last_seq + 1, answer = coalesce(answer, partial_answer(p_run))
  where id = p_run returning * into r;
  update runs -- whoever comes after it in its conversation
  set waits_for = r.waits_for, due_at = case when r.waits_for is not null then due_at end,
      rung_at = case when r.waits_for is not null then rung_at end
  where waits_for = p_run;
  return jsonb_build_array(record_event(p_run, r.tenant, r.last_seq, 'run.' || p_status, null, jsonb_strip_nulls(
    jsonb_build_object('answer', r.answer, 'error', r.error)))) || child_ended(r);
end $$;

-- What the newest attempt at an answer had streamed when it was cut short.
create or replace function partial_answer(p_run uuid) returns text language sql stable as $$
  select string_agg(data ->> 'text', '' order by seq) from events
  where run_id = p_run and name = 'answer.delta' and data -> 'attempt' = (
    select max((data -> 'attempt')::int) from events where run_id = p_run and name = 'answer.delta')::text::jsonb
$$;

create or replace function fail_phase(p_run uuid, p_fence int, p_detail text, p_retry_in double precision)
returns jsonb language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, null);
  v_events jsonb := '[]';
  v_step text;
begin
  if r.id is null then
    return null;
  end if;
  if p_retry_in is null then
    perform bury(r, null, null, r.phase, 'phase_failed', jsonb_build_object('detail', p_detail));
    for v_step in -- of a plan that could not be completed; what still runs ends too late
      update steps set status = 'cancelled', finished_at = clock_timestamp()
      where run_id = p_run and status in ('pending', 'ready', 'running', 'waiting') returning id
    loop
      r.last_seq := r.last_seq + 1;
      v_events := v_events || record_event(p_run, r.tenant, r.last_seq, 'step.cancelled', v_step, '{}');
    end loop;
    update runs
    set error = jsonb_build_object('detail', p_detail, 'phase', r.phase), last_seq = r.last_seq, open_steps = 0
    where id = p_run;
    return v_events || end_run(p_run, 'failed');
  end if;
  update runs
  set phase_worker = null, phase_failures = r.phase_failures + 1, phase_error = p_detail, rung_at = null,
      due_at = clock_timestamp() + make_interval(secs => p_retry_in)
  where id = p_run;
  return jsonb_build_array();
end $$;

-- Cancel is a row on the run: what has not started never will; running steps are told and may still report.
create or replace function cancel_run(p_run uuid, p_tenant text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_events jsonb := '[]';
  v_step text;
begin
  select * into r from runs where id = p_run and tenant = p_tenant for update;
  if not found then
    return null;
  end if;
  if r.phase is null or r.phase = 'remember' or r.cancel_requested then
    return v_events; -- finished, as good as finished, or asked before
  end if;
  r.last_seq := r.last_seq + 1;
  v_events := v_events || record_event(p_run, r.tenant, r.last_seq, 'run.cancel_requested', null, '{}');
  for v_step in
    update steps set status = 'cancelled', finished_at = clock_timestamp()
    where run_id = p_run and status in ('pending', 'ready', 'waiting', 'in_doubt') returning id
  loop
    r.last_seq := r.last_seq + 1;
    r.open_steps := r.open_steps - 1;
    v_events := v_events || record_event(p_run, r.tenant, r.last_seq, 'step.cancelled', v_step, '{}');
  end loop;
  update runs set cancel_requested = true, last_seq = r.last_seq, open_steps = r.open_steps where id = p_run;
  if r.open_steps = 0 then
    v_events := v_events || end_run(p_run, 'cancelled');
  end if;
  return v_events;
end $$;

-- Its time is over: what has not ended is cut, and the run is answered with what there is. Returns the events.
create or replace function expire_run(p_run uuid) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  v_events jsonb;
begin
  select * into r from runs where id = p_run for update;
  if r.phase is null or r.deadline is null or r.deadline > clock_timestamp() then
    return '[]';
  end if;
  r.error := jsonb_build_object('reason', 'deadline', 'detail', format('It was not done by its deadline, %s.', wire_time(r.deadline)));
  update runs set deadline = null where id = p_run;
  if r.phase in ('reflect', 'remember') and r.paused_at is null then
    return '[]'; -- as good as done
  end if;
  r.last_seq := r.last_seq + 1;
  v_events := jsonb_build_array(record_event(p_run, r.tenant, r.last_seq, 'run.deadline_passed', null,
                                             jsonb_build_object('deadline', wire_time(r.deadline))));
  for s in
    select * from steps where run_id = p_run and status in ('pending', 'ready', 'waiting', 'running', 'in_doubt')
    order by position
  loop
    if s.status = 'running' then -- its late result will be refused
      perform record_attempt(s, 'abandoned', null, r.error);
    end if;
    r.last_seq := r.last_seq + 1;
    if s.control ? 'team' and s.status <> 'pending' then -- what the others of its team have brought is worth keeping
      update steps
      set status = 'succeeded', output = kept(r.tenant, r.id, cut_team(s)), finished_at = clock_timestamp(), deadline = null,
          due_at = null
      where run_id = p_run and id = s.id returning * into s;
      v_events := v_events || record_event(p_run, r.tenant, r.last_seq, 'step.succeeded', s.id, jsonb_build_object(
        'attempt', s.attempt, 'output', s.output, 'by', 'deadline'));
      continue;
    end if;
    update steps set status = 'cancelled', error = r.error, finished_at = clock_timestamp(), deadline = null, due_at = null
    where run_id = p_run and id = s.id;
    v_events := v_events || record_event(p_run, r.tenant, r.last_seq, 'step.cancelled', s.id,
                                         jsonb_build_object('because', r.error -> 'detail'));
  end loop;
  update runs
  set last_seq = r.last_seq, open_steps = 0, error = r.error, paused_at = null, paused_because = null,
      phase = 'reflect', status = 'reflecting', phase_worker = null, phase_failures = 0, due_at = null,
      rung_at = null, rings = 0
  where id = p_run;
  return v_events;
end $$;

-- Cut the runs whose deadline has passed. Returns [[run, events], …].
create or replace function expire_runs(p_limit int) returns jsonb language plpgsql as $$
declare
  v_run uuid;
  v_expired jsonb := '[]';
begin
  for v_run in
    select id from runs where deadline <= clock_timestamp() and phase is not null order by deadline limit p_limit
    for update skip locked
  loop
    v_expired := v_expired || jsonb_build_array(jsonb_build_array(v_run, expire_run(v_run)));
  end loop;
  return v_expired;
end $$;
