-- How a step is claimed, finished, lost and given back. Lock order everywhere: the run's row, then its steps.

-- The grace after the timeout is the worker's own chance to report it; then the sweeper fences the attempt off.
create or replace function step_deadline(p_now timestamptz, p_timeout double precision) returns timestamptz
language sql immutable as $$
  select p_now + make_interval(secs => p_timeout + 3)
$$;

create or replace function started_data(s steps) returns jsonb language sql immutable as $$
  select jsonb_build_object('attempt', s.attempt, 'tool', s.tool, 'worker', s.worker)
$$;

create or replace function step_outputs(p_run uuid, p_steps text[]) returns jsonb language sql stable as $$
  select jsonb_object_agg(id, coalesce(whole(tenant, output), 'null')) from steps
  where run_id = p_run and id = any (p_steps) and status = 'succeeded'
$$;

-- What a worker needs to run a step it has just been given.
create or replace function step_claim(r runs, s steps) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', s.id, 'attempt', s.attempt, 'tool', s.tool, 'arguments', s.arguments, 'timeout', s.timeout,
    'retry', s.retry, 'failures', s.failures, 'max_attempts', s.max_attempts, 'waited', s.waited, 'unsure', s.unsure,
    'effect_key', s.effect_key, 'flow_keys', s.flow_keys, 'opens', cardinality(s.dependents), 'control', s.control,
    'outputs', case when s.control is not null or s.arguments::text like '%${%' then coalesce(step_outputs(s.run_id, s.depends_on), '{}') end,
    'run', jsonb_build_object('id', r.id, 'tenant', r.tenant, 'user_id', r.user_id,
                              'conversation_id', r.conversation_id, 'agent', r.agent, 'accounts', r.accounts,
                              'model', r.profile ->> 'model', 'replay', r.profile -> 'replay'))
$$;

-- Compare-and-set from ready to running; null when the step is not there to take, or must wait for its turn at a key.
create or replace function claim_step(p_run uuid, p_step text, p_worker text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  v_event jsonb;
begin
  select * into r from runs where id = p_run for update;
  if r.phase is null or r.phase not in ('plan', 'execute') or r.cancel_requested then
    return null;
  end if;
  if r.paused_at is not null then -- hold it back; resuming makes it ready again
    update steps set status = 'pending' where run_id = p_run and id = p_step and status = 'ready';
    return null;
  end if;
  select * into s from steps where run_id = p_run and id = p_step and status = 'ready' and flow_keys <> '{}';
  if s.id is not null and not flow_admit(r, s) then
    return null; -- parked; it is rung when its turn has come
  end if;
  s := start_step(p_run, p_step, p_worker);
  if s.id is null then
    return null; -- somebody got there first: a doubled or late message
  end if;
  v_event := record_started(s, r.last_seq + 1);
  update runs set last_seq = r.last_seq + 1 where id = p_run;
  return step_claim(r, s) || jsonb_build_object('events', jsonb_build_array(v_event));
end $$;

create or replace function start_step(p_run uuid, p_step text, p_worker text) returns steps language sql as $$
  update steps
  set status = 'running', attempt = attempt + 1, worker = p_worker, started_at = clock_timestamp(), due_at = null,
      ready_at = coalesce(ready_at, clock_timestamp()),
      deadline = step_deadline(clock_timestamp(), timeout)
  where run_id = p_run and id = p_step and status = 'ready' returning *
$$;

-- A step that may be run ahead: what differs from the claim of the step that it follows.
create or replace function follower(s steps) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', s.id, 'attempt', s.attempt + 1, 'tool', s.tool, 'arguments', s.arguments, 'effect_key', s.effect_key,
    'opens', cardinality(s.dependents), 'depends_on', s.depends_on, 'unmet', s.unmet,
    'outputs', case when s.arguments::text like '%${%' then coalesce(step_outputs(s.run_id, s.depends_on), '{}') end)
$$;

-- What a worker may run ahead of its commits: the steps of instant tools that nothing but each other holds back, as the
-- attempts that they would be. p_from: the step that it has begun, and those that it keeps.
create or replace function steps_ahead(r runs, p_from text[], p_instant text[]) returns jsonb language sql stable as $$
  with recursive line(id, dependents, status, position, claim) as (
    select id, dependents, status, position, follower(s) from steps s
    where run_id = r.id and id = any (p_from) and flow_keys = '{}' and control is null
    union
    select d.id, d.dependents, d.status, d.position, follower(d)
    from line join steps d on d.run_id = r.id and d.id = any (line.dependents)
    where d.status = 'pending' and d.flow_keys = '{}' and d.control is null and d.tool = any (p_instant)
  )
  select jsonb_build_object('seen', r.last_seq, 'steps', coalesce(jsonb_agg(claim order by position), '[]'))
  from (select position, claim from line where status in ('pending', 'ready') order by position limit 31) nearest
$$;

-- How many of the results that now are there this step waited for. p_opened names it once for each.
create or replace function met(s steps, p_opened text[]) returns int language sql immutable as $$
  select cardinality(array_positions(p_opened, s.id))
$$;

-- Which of the steps that wait for these results only a worker takes that has room for so many: one of an instant tool,
-- which it runs in place, and others up to its room. What a flow key limits goes by way of claim_step.
create or replace function next_steps(p_run uuid, p_opened text[], p_room int, p_instant text[]) returns text[]
language sql stable as $$
  with open as (
    select id, position, tool = any (p_instant) as instant from steps
    where run_id = p_run and id = any (p_opened) and flow_keys = '{}'
      and (status = 'ready' or status = 'pending' and unmet = met(steps, p_opened))
  ), first as (
    select id, position from open where instant order by position limit least(p_room, 1)
  )
  select array(select id from first) || array(
    select id from open where not instant order by position limit p_room - (select count(*) from first))
$$;

-- Is this one of the chosen that the worker goes on with, now that these results are there?
create or replace function goes_on(s steps, p_opened text[], p_next text[]) returns boolean language sql immutable as $$
  select s.unmet = met(s, p_opened) and s.flow_keys = '{}' and s.id = any (p_next)
$$;

-- The first of these steps that is still ready becomes this worker's.
create or replace function start_first(p_run uuid, p_steps text[], p_worker text, p_now timestamptz) returns steps
language sql as $$
  update steps
  set status = 'running', attempt = attempt + 1, worker = p_worker, started_at = p_now,
      deadline = step_deadline(p_now, timeout)
  where run_id = p_run and id = (
    select id from steps where run_id = p_run and id = any (p_steps) and status = 'ready' and flow_keys = '{}'
    order by position limit 1)
  returning *
$$;

create or replace function record_started(s steps, p_seq int) returns jsonb language sql as $$
  select record_event(s.run_id, s.tenant, p_seq, 'step.started', s.id, started_data(s))
$$;

create or replace function record_attempt(s steps, p_outcome text, p_output jsonb, p_error jsonb) returns void
language sql as $$
  insert into attempts (run_id, step_id, attempt, outcome, tenant, worker, output, error, started_at, finished_at)
  values (s.run_id, s.id, s.attempt, p_outcome, s.tenant, s.worker, p_output, p_error, s.started_at, clock_timestamp())
  on conflict do nothing
$$;

-- One commit for the whole of "these steps are done": their results, their dependents, the events, the next steps.
-- p_done: [{id, attempt, claimed, input, output, began, ended}] in the order in which they ran; began and ended are
-- seconds before now. What is not claimed the worker has run ahead (steps_ahead) of the commit that makes it ready; if
-- anything has happened to such a step since p_seen, the reply is {refused}, and nothing is changed.
-- p_room: how many steps this worker can start now. It is given steps that this made ready, or else one of p_held, ready
-- steps of instant tools (p_instant) that it keeps without a message. This is the hot path, one call of it a step: each
-- statement and each expression in it costs a setup in every transaction, so they are few.
create or replace function complete_steps(p_run uuid, p_worker text, p_done jsonb, p_seen int, p_room int,
                                          p_instant text[], p_held text[])
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  d steps%rowtype;
  v_now timestamptz := clock_timestamp();
  v_opened text[];
  v_next text[] := '{}';
  v_ready jsonb := '[]';
  v_claims jsonb := '[]';
  v_events jsonb;
  v_count int := jsonb_array_length(p_done);
begin
  select * into r from runs where id = p_run for update;
  if v_count > 1 and not as_they_were(r, p_done, p_seen) then
    return '{"refused": true}';
  end if;
  if pg_column_size(p_done) > 32768 or p_done @? '$[*].*."$blob"' then
    p_done := (select jsonb_agg(g || jsonb_build_object('input', kept(r.tenant, p_run, nullif(g -> 'input', 'null')),
                                                        'output', kept(r.tenant, p_run, g -> 'output')) order by n)
               from jsonb_array_elements(p_done) with ordinality given(g, n));
  end if;
  with given as (
    select g ->> 'id' as id, (g ->> 'attempt')::int as attempt, (g ->> 'claimed')::boolean as claimed,
           nullif(g -> 'input', 'null') as input, g -> 'output' as output,
           v_now - make_interval(secs => (g ->> 'began')::double precision) as began,
           v_now - make_interval(secs => (g ->> 'ended')::double precision) as ended, n
    from jsonb_array_elements(p_done) with ordinality e(g, n)
  ), done as (
    update steps s
    set status = 'succeeded', attempt = g.attempt, worker = p_worker, input = coalesce(g.input, s.input),
        output = g.output, error = null, started_at = case when g.claimed then s.started_at else g.began end,
        ready_at = coalesce(s.ready_at, g.began), finished_at = g.ended, deadline = null, unmet = 0
    from given g
    where s.run_id = p_run and s.id = g.id and s.attempt = g.attempt - (not g.claimed)::int
      and case when g.claimed then s.status = 'running' else s.status in ('pending', 'ready') end
    returning s.id, s.tool, s.attempt, s.dependents, s.output, s.started_at, s.finished_at, g.claimed, g.n
  ), recorded as (
    insert into attempts (run_id, step_id, attempt, outcome, tenant, worker, started_at, finished_at)
    select p_run, id, attempt, 'succeeded', r.tenant, p_worker, started_at, finished_at from done
  ), told as (
    insert into events (run_id, seq, tenant, name, step_id, at, data)
    select p_run, r.last_seq + row_number() over (order by n, place), r.tenant, e.name, done.id, e.at, e.data
    from done, lateral (values
      (1, 'step.started', started_at, jsonb_build_object('attempt', attempt, 'tool', tool, 'worker', p_worker)),
      (2, 'step.succeeded', finished_at, jsonb_build_object('attempt', attempt, 'output', output))
    ) as e(place, name, at, data)
    where not (claimed and place = 1)
    returning seq, wire_event(run_id, seq, name, step_id, at, data) as event
  )
  select (select jsonb_agg(event order by seq) from told),
         (select coalesce(array_agg(o), '{}') from done, unnest(dependents) as o where o not in (select id from done))
  into v_events, v_opened;
  if v_events is null then
    return finish_late(r, p_done -> 0 ->> 'id', (p_done -> 0 ->> 'attempt')::int, p_worker, 'succeeded',
                       p_done -> 0 -> 'output', null);
  end if;
  r.last_seq := r.last_seq + jsonb_array_length(v_events);
  if v_opened <> '{}' and not r.cancel_requested then
    if p_room > 0 and r.paused_at is null then
      v_next := case cardinality(v_opened) when 1 then v_opened
                else next_steps(p_run, v_opened, p_room, p_instant) end;
    end if;
    with opened as (
      update steps
      set unmet = unmet - met(steps, v_opened), ready_at = case when unmet = met(steps, v_opened) then v_now end,
          rung_at = case when unmet = met(steps, v_opened) then v_now end, rings = 1,
          status = case when unmet > met(steps, v_opened) then 'pending'
                        when goes_on(steps, v_opened, v_next) then 'running' else 'ready' end,
          attempt = attempt + goes_on(steps, v_opened, v_next)::int,
          worker = case when goes_on(steps, v_opened, v_next) then p_worker end,
          started_at = case when goes_on(steps, v_opened, v_next) then v_now end,
          deadline = case when goes_on(steps, v_opened, v_next) then step_deadline(v_now, timeout) end
      where run_id = p_run and id = any (v_opened) and status = 'pending' returning *
    ), told as (
      insert into events (run_id, seq, tenant, name, step_id, at, data)
      select p_run, r.last_seq + row_number() over (order by position), r.tenant, 'step.started', id, v_now,
             jsonb_build_object('attempt', attempt, 'tool', tool, 'worker', worker)
      from opened where status = 'running'
      returning seq, wire_event(run_id, seq, name, step_id, at, data) as event
    )
    select v_events || coalesce((select jsonb_agg(event order by seq) from told), '[]'),
           coalesce(jsonb_agg(step_claim(r, row(opened.*)::steps) order by position) filter (where status = 'running'), '[]'),
           coalesce(jsonb_agg(jsonb_build_array(id, tool)) filter (where status = 'ready'), '[]')
    into v_events, v_claims, v_ready from opened;
    r.last_seq := r.last_seq + jsonb_array_length(v_claims);
  end if;
  if p_held <> '{}' and p_room > 0 and v_claims = '[]' and r.paused_at is null and not r.cancel_requested then
    d := start_first(p_run, p_held, p_worker, v_now);
    if d.id is not null then
      r.last_seq := r.last_seq + 1;
      v_events := v_events || record_event(p_run, r.tenant, r.last_seq, 'step.started', d.id, started_data(d), v_now);
      v_claims := v_claims || step_claim(r, d);
    end if;
  end if;
  r.open_steps := r.open_steps - v_count;
  update runs
  set last_seq = r.last_seq, open_steps = r.open_steps, rung_at = case r.open_steps when 0 then v_now else rung_at end
  where id = p_run;
  if r.open_steps = 0 and r.cancel_requested then
    v_events := v_events || end_run(p_run, 'cancelled');
  elsif r.open_steps = 0 and r.request is null and r.phase = 'execute' then
    v_events := v_events || end_unasked(r);
  end if;
  return jsonb_build_object('fenced', false, 'events', v_events, 'ready', v_ready,
                            'claims', claims_ahead(r, v_claims, v_ready, p_held, p_instant),
                            'rings', r.open_steps = 0 and r.phase = 'execute' and r.rung_at <> parked());
end $$;

-- A caller's plan without a request leaves nothing to judge, to word or to remember: when no step has failed, it ends in
-- the commit of its last step, and its answer is the outputs of the steps that nothing depends on: the text of a single
-- one, else JSON by step id (as reflection_worker/offline_answer.py has it). All else goes to reflection.
create or replace function end_unasked(r runs) returns jsonb language plpgsql as $$
declare
  v_answer text;
  v_event jsonb;
begin
  if r.error is not null or r.paused_at is not null
     or exists (select from steps where run_id = r.id and status not in ('succeeded', 'skipped')) then
    return '[]';
  end if;
  with leaves as (
    select id, position, whole(tenant, output) as output from steps
    where run_id = r.id and status = 'succeeded'
      and id not in (select unnest(depends_on) from steps where run_id = r.id)
  )
  select case count(*) when 0 then 'No step gave a result.'
         when 1 then coalesce(min(nullif(case jsonb_typeof(output) when 'object' then
                                           case jsonb_typeof(output -> 'text') when 'string' then output ->> 'text' end
                                         when 'string' then output #>> '{}' end, '')), min(output::text), 'null')
         else '{' || string_agg(to_json(id) || ':' || coalesce(output, 'null'), ',' order by position) || '}' end
  into v_answer from leaves;
  v_event := record_event(r.id, r.tenant, r.last_seq + 1, 'answer.completed', null, jsonb_build_object('text', v_answer));
  update runs set answer = v_answer, last_seq = r.last_seq + 1 where id = r.id;
  return jsonb_build_array(v_event) || end_run(r.id, 'succeeded');
end $$;

-- The claims, and with the one of an instant tool what may be run ahead after it, beside it and beside what is held.
create or replace function claims_ahead(r runs, p_claims jsonb, p_ready jsonb, p_held text[], p_instant text[])
returns jsonb language plpgsql stable as $$
declare
  v_at int;
begin
  select n - 1 into v_at from jsonb_array_elements(p_claims) with ordinality c(claim, n)
  where claim ->> 'tool' = any (p_instant) limit 1;
  if v_at is null then
    return p_claims;
  end if;
  return jsonb_set(p_claims, array[v_at::text, 'ahead'], steps_ahead(r, p_instant => p_instant, p_from => p_held
    || (p_claims -> v_at ->> 'id')
    || array(select e ->> 0 from jsonb_array_elements(p_ready) e where e ->> 1 = any (p_instant))));
end $$;

-- May these results be taken together? What was claimed must be so still; what was run ahead must wait for nothing but
-- the others, and a person must not have changed anything since p_seen. The caller holds the run's lock.
create or replace function as_they_were(r runs, p_done jsonb, p_seen int) returns boolean language sql stable as $$
  with given as (
    select g ->> 'id' as id, (g ->> 'attempt')::int as attempt, (g ->> 'claimed')::boolean as claimed
    from jsonb_array_elements(p_done) g
  )
  select r.paused_at is null and not r.cancel_requested
     and count(*) = jsonb_array_length(p_done)
     and not exists (select from events where run_id = r.id and seq > p_seen and name = 'step.reopened')
  from given g join steps s on s.run_id = r.id and s.id = g.id
  where case when g.claimed then s.status = 'running' and s.attempt = g.attempt
             else s.attempt = g.attempt - 1 and s.flow_keys = '{}' and (s.status = 'ready' or s.status = 'pending'
                  and s.unmet = (select count(*) from given b where b.id = any (s.depends_on))) end
$$;

-- The other ways an attempt ends; what its dependents wait for has not come. p_outcome: failed, cancelled (final); retry,
-- waiting (comes back after p_delay seconds).
create or replace function finish_step(p_run uuid, p_step text, p_attempt int, p_worker text, p_outcome text,
                                       p_input jsonb, p_error jsonb, p_delay double precision, p_room int,
                                       p_instant text[], p_held text[])
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  n steps%rowtype;
  v_final boolean := p_outcome in ('failed', 'cancelled');
  v_now timestamptz := clock_timestamp();
  v_claims jsonb := '[]';
  v_events jsonb;
  v_skipped jsonb := '[]';
begin
  select * into r from runs where id = p_run for update;
  if r.cancel_requested and not v_final then -- nobody would come back to it
    p_outcome := 'cancelled';
    v_final := true;
  end if;
  update steps
  set status = case when v_final then p_outcome else 'waiting' end,
      input = coalesce(kept(r.tenant, r.id, p_input), input), output = null, error = p_error,
      finished_at = case when v_final then v_now end, deadline = null,
      due_at = case when not v_final then v_now + make_interval(secs => p_delay) end,
      failures = failures + (p_outcome in ('retry', 'failed'))::int, waited = waited or p_outcome = 'waiting',
      unsure = unsure or p_outcome = 'retry'
  where run_id = r.id and id = p_step and attempt = p_attempt and status = 'running' returning * into s;
  if not found then
    return finish_late(r, p_step, p_attempt, p_worker, p_outcome, null, p_error);
  end if;
  perform record_attempt(s, p_outcome, null, p_error);
  r.last_seq := r.last_seq + 1;
  v_events := jsonb_build_array(record_event(r.id, r.tenant, r.last_seq,
    'step.' || case p_outcome when 'retry' then 'retrying' else p_outcome end, p_step,
    case p_outcome
      when 'waiting' then jsonb_build_object('attempt', p_attempt, 'until', wire_time(s.due_at))
      when 'retry' then jsonb_build_object('attempt', p_attempt, 'error', p_error, 'dueAt', wire_time(s.due_at))
      else jsonb_build_object('attempt', p_attempt, 'error', p_error) end));
  if p_held <> '{}' and p_room > 0 and r.paused_at is null and not r.cancel_requested then
    n := start_first(r.id, p_held, p_worker, v_now);
    if n.id is not null then
      r.last_seq := r.last_seq + 1;
      v_events := v_events || record_started(n, r.last_seq);
      v_claims := v_claims || step_claim(r, n);
    end if;
  end if;
  if p_outcome = 'failed' then
    perform bury(r, s.id, s.tool, null, coalesce(p_error ->> 'reason', 'failed'), p_error);
    v_skipped := skip_after(r, s);
    v_events := v_events || v_skipped;
  end if;
  r.open_steps := r.open_steps - v_final::int - jsonb_array_length(v_skipped);
  update runs
  set last_seq = r.last_seq + jsonb_array_length(v_skipped), open_steps = r.open_steps,
      rung_at = case when r.open_steps = 0 then v_now when v_final then rung_at else chordless() end
  where id = r.id;
  if r.open_steps = 0 and r.cancel_requested then
    v_events := v_events || end_run(r.id, 'cancelled');
  end if;
  return jsonb_build_object('fenced', false, 'events', v_events, 'ready', '[]'::jsonb,
                            'claims', claims_ahead(r, v_claims, '[]', p_held, p_instant),
                            'rings', r.open_steps = 0 and r.phase = 'execute' and r.rung_at <> parked());
end $$;

-- Fenced: a newer attempt owns the step, or it was settled without us. The late result is kept for the record, and where
-- a person was asked whether the effect happened, a late success is the answer.
create or replace function finish_late(r runs, p_step text, p_attempt int, p_worker text, p_outcome text,
                                       p_output jsonb, p_error jsonb)
returns jsonb language plpgsql as $$
declare
  s steps%rowtype;
  v_settled jsonb;
begin
  select * into s from steps where run_id = r.id and id = p_step;
  if s.status = 'in_doubt' and s.attempt = p_attempt and p_outcome = 'succeeded' then
    v_settled := settle_by_hand(r, s, p_output, 'late attempt');
    return v_settled || jsonb_build_object('fenced', false, 'rings', false, 'claims', '[]'::jsonb, 'ready', (
      select coalesce(jsonb_agg(jsonb_build_array(id, tool)), '[]') from steps
      where run_id = r.id and v_settled -> 'ready' ? id));
  end if;
  s.attempt := p_attempt;
  s.worker := p_worker;
  perform record_attempt(s, 'late', p_output, p_error) where s.id is not null;
  return jsonb_build_object('fenced', true, 'rings', false, 'events', '[]'::jsonb, 'ready', '[]'::jsonb,
                            'claims', '[]'::jsonb);
end $$;

-- Skip what can never run after the failure of `s`: its descendants; everything unstarted if the step was required.
-- Returns the events.
create or replace function skip_after(r runs, s steps) returns jsonb language plpgsql as $$
declare
  v_events jsonb := '[]';
  v_step text;
begin
  for v_step in
    with recursive after_it(id) as (
      select unnest(s.dependents)
      union
      select unnest(d.dependents) from after_it a join steps d on d.run_id = s.run_id and d.id = a.id
      where d.status in ('pending', 'ready', 'waiting') -- what a person settled by hand keeps nobody from going on
    )
    update steps set status = 'skipped', finished_at = clock_timestamp()
    where run_id = s.run_id and status in ('pending', 'ready', 'waiting')
      and (s.required or id in (select id from after_it)) returning id
  loop
    r.last_seq := r.last_seq + 1;
    v_events := v_events || record_event(s.run_id, r.tenant, r.last_seq, 'step.skipped', v_step,
      jsonb_build_object('because', format('step %s failed', s.id)));
  end loop;
  return v_events;
end $$;

create or replace function report_step_progress(p_run uuid, p_step text, p_attempt int, p_text text) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  perform from steps where run_id = p_run and id = p_step and attempt = p_attempt and status = 'running';
  if not found then
    return jsonb_build_array();
  end if;
  update runs set last_seq = r.last_seq + 1 where id = p_run;
  return jsonb_build_array(record_event(p_run, r.tenant, r.last_seq + 1, 'step.progress', p_step,
                                        jsonb_build_object('text', p_text)));
end $$;

-- The execution of a planned run begins: all its ready steps count as rung; whoever opens it is given as many as it has
-- room for (next_steps), but not more than its share among p_workers. Null for a doubled message.
create or replace function begin_execution(p_run uuid, p_worker text, p_room int, p_workers int, p_instant text[])
returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
  d steps%rowtype;
  v_now timestamptz := clock_timestamp();
  v_first text[];
  v_next text[];
  v_ready jsonb := '[]';
  v_claims jsonb := '[]';
  v_events jsonb := '[]';
begin
  select * into r from runs where id = p_run for update;
  if not found or r.phase is distinct from 'execute' or r.cancel_requested then
    return null;
  end if;
  if r.paused_at is not null then -- hold them back; resuming makes them ready again
    update steps set status = 'pending' where run_id = p_run and status = 'ready';
    return null;
  end if;
  v_first := array(select id from steps where run_id = p_run and status = 'ready' and rings = 0);
  v_next := next_steps(p_run, v_first, least(p_room, (cardinality(v_first) + p_workers - 1) / p_workers), p_instant);
  for d in
    update steps
    set rings = 1, rung_at = v_now, status = case when id = any (v_next) then 'running' else 'ready' end,
        attempt = attempt + (id = any (v_next))::int, worker = case when id = any (v_next) then p_worker end,
        started_at = case when id = any (v_next) then v_now end, ready_at = coalesce(ready_at, v_now),
        deadline = case when id = any (v_next) then step_deadline(v_now, timeout) end
    where run_id = p_run and status = 'ready' and rings = 0 returning *
  loop
    if d.status = 'running' then
      r.last_seq := r.last_seq + 1;
      v_events := v_events || record_started(d, r.last_seq);
      v_claims := v_claims || step_claim(r, d);
    else
      v_ready := v_ready || jsonb_build_array(jsonb_build_array(d.id, d.tool));
    end if;
  end loop;
  if not found then
    return null;
  end if;
  update runs set last_seq = r.last_seq where id = p_run and v_events <> '[]';
  return jsonb_build_object('claims', claims_ahead(r, v_claims, v_ready, '{}', p_instant), 'ready', v_ready,
                            'events', v_events);
end $$;

-- Nobody knows how an attempt ended. p_reason: lost (its worker died), timed_out, broken (unexpectedly), handed_back
-- (its worker was stopped; counts as nothing). Pure and idempotent steps get ready again at once, and so do those that
-- can be asked whether their effect happened; an unsafe one is never silently repeated but waits for a person.
create or replace function lose_step(p_run uuid, p_step text, p_attempt int, p_reason text, p_detail text default null,
                                     p_input jsonb default null)
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  v_error jsonb;
  v_becomes text;
  v_over boolean;
  v_skipped jsonb := '[]';
  v_events jsonb;
begin
  select * into r from runs where id = p_run for update;
  select * into s from steps where run_id = p_run and id = p_step and attempt = p_attempt and status = 'running' for update;
  if not found then
    return jsonb_build_array();
  end if;
  p_input := kept(r.tenant, p_run, p_input);
  s.failures := s.failures + (p_reason <> 'handed_back')::int;
  v_becomes := case
    when r.cancel_requested then 'cancelled'
    when s.effect = 'unsafe' or (s.effect = 'verify' and s.failures >= s.max_attempts) then 'in_doubt'
    when s.failures >= s.max_attempts then 'failed'
    else 'ready' end;
  v_over := v_becomes in ('failed', 'cancelled');
  v_error := jsonb_build_object('reason', p_reason, 'detail', lost_because(s, p_reason, p_detail)
    || case v_becomes when 'in_doubt' then ' Nobody can tell whether its effect happened, so it is not repeated.'
                      else '' end);
  perform record_attempt(s, p_reason, null, v_error);
  update steps
  set status = v_becomes, failures = s.failures, error = case when v_becomes <> 'ready' then v_error end,
      unsure = true, input = coalesce(p_input, input), deadline = null, due_at = null, rung_at = null,
      ready_at = clock_timestamp(), worker = case when v_becomes <> 'ready' then worker end,
      finished_at = case when v_over then clock_timestamp() end
  where run_id = p_run and id = p_step;
  r.last_seq := r.last_seq + 1;
  v_events := jsonb_build_array(record_event(p_run, r.tenant, r.last_seq, case v_becomes
    when 'ready' then 'step.retrying' when 'in_doubt' then 'step.in_doubt' else 'step.' || v_becomes end,
    p_step, jsonb_build_object('attempt', p_attempt, 'error', v_error)));
  if v_becomes = 'failed' then
    perform bury(r, s.id, s.tool, null, case p_reason when 'lost' then 'poison' else p_reason end, v_error);
    v_skipped := skip_after(r, s);
  end if;
  r.open_steps := r.open_steps - v_over::int - jsonb_array_length(v_skipped);
  update runs
  set last_seq = r.last_seq + jsonb_array_length(v_skipped), open_steps = r.open_steps,
      rung_at = case when r.open_steps > 0 then chordless() end
  where id = p_run;
  if r.open_steps = 0 and r.cancel_requested then
    v_events := v_events || end_run(p_run, 'cancelled');
  end if;
  return v_events || v_skipped;
end $$;

create or replace function lost_because(s steps, p_reason text, p_detail text) returns text language sql immutable as $$
  select coalesce(p_detail, case p_reason
    when 'lost' then 'The worker that ran this step died.'
    when 'timed_out' then format('The step took longer than its timeout of %s s.', s.timeout)
    else 'The worker was stopped and gave the step back.' end)
$$;

-- A step's wait is over: make it ready for a message. False when it is not due yet or no longer waiting.
create or replace function wake_step(p_run uuid, p_step text) returns boolean language sql as $$
  with woken as (
    update steps
    set status = 'ready', ready_at = clock_timestamp(), rung_at = clock_timestamp(), rings = 1, due_at = null
    where run_id = p_run and id = p_step and status = 'waiting' and due_at <= clock_timestamp() + interval '20 ms'
    returning 1
  )
  select exists (select from woken)
$$;
