-- What the sweeper and the heartbeats call. All are safe at any number of copies.

-- Returns the database's time, in seconds since 1970, by which the process sets its clock, and how many of the kind live.
create or replace function beat_worker(p_worker text, p_kind text, p_host text, p_pid int, p_started double precision,
                                       p_vitals jsonb)
returns jsonb language sql as $$
  insert into workers as w (id, kind, host, pid, process_started, backlog, slots, busy, taken_at, clock_ahead)
  values (p_worker, p_kind, p_host, p_pid, p_started, (p_vitals ->> 'backlog')::int, (p_vitals ->> 'slots')::int,
          (p_vitals ->> 'busy')::int, clock_timestamp() - make_interval(secs => (p_vitals ->> 'idle')::float),
          (p_vitals ->> 'clock_ahead')::float)
  on conflict (id) do update
  set beat_at = clock_timestamp(), backlog = excluded.backlog, slots = excluded.slots, busy = excluded.busy,
      taken_at = excluded.taken_at, clock_ahead = excluded.clock_ahead;
  select jsonb_build_object('now', extract(epoch from clock_timestamp()), 'alive', (
    select count(*) from workers where kind = p_kind and beat_at > clock_timestamp() - interval '10 s'))
$$;

create or replace function overdue_workers(p_seconds double precision) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(id), '[]') from workers where beat_at < clock_timestamp() - make_interval(secs => p_seconds)
$$;

create or replace function kinds_with_backlog() returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(distinct kind), '[]') from workers where backlog > 0
$$;

-- Take a worker off the list and give back all it owned; returns the events. One release at a time, so that two
-- releases that meet in the same runs can't deadlock.
create or replace function release_worker(p_worker text, p_reason text) returns jsonb language plpgsql as $$
declare
  v_events jsonb := '[]';
  v_kind text;
  s record;
  r runs%rowtype;
begin
  perform pg_advisory_xact_lock(hashtext('perdure release_worker'));
  delete from workers where id = p_worker returning kind into v_kind;
  -- messages in its hands went with it: what was rung often is not rung late for that
  update steps set rings = 1 where status = 'ready' and queue = v_kind and rings > 1;
  for s in select run_id, id, attempt from steps where status = 'running' and worker = p_worker order by run_id, id loop
    v_events := v_events || lose_step(s.run_id, s.id, s.attempt, p_reason);
  end loop;
  perform lose_message(m, p_reason) from delivery_messages m where status = 'delivering' and worker = p_worker;
  for r in select * from runs where phase_worker = p_worker order by id loop
    if p_reason = 'lost' and r.phase_failures >= 4 then
      perform from runs where id = r.id and phase_worker = p_worker for update;
      continue when not found;
      update runs set error = jsonb_build_object('phase', phase, 'detail',
        'Five workers in a row died in this phase; the run is given up.') where id = r.id returning * into r;
      perform bury(r, null, null, r.phase, 'poison', r.error);
      v_events := v_events || end_run(r.id, 'failed');
    else
      update runs
      set phase_worker = null, rung_at = null, phase_failures = phase_failures + (p_reason = 'lost')::int
      where id = r.id and phase_worker = p_worker;
    end if;
  end loop;
  return v_events;
end $$;

-- Steps that outlived their timeout though their worker lives, and what is owned by a worker that is not on the list: a
-- claim may commit after its client was killed and released. A living worker is back on the list within two seconds.
create or replace function lose_hung_steps(p_limit int) returns jsonb language plpgsql as $$
declare
  v_events jsonb := '[]';
  s record;
begin
  for s in
    select run_id, id, attempt, deadline < clock_timestamp() as hung from steps
    where status = 'running' and (deadline < clock_timestamp() or (
      started_at < clock_timestamp() - interval '3 s' and not exists (select from workers w where w.id = steps.worker)))
    limit p_limit
  loop
    v_events := v_events || lose_step(s.run_id, s.id, s.attempt, case when s.hung then 'timed_out' else 'lost' end);
  end loop;
  update runs set phase_worker = null, rung_at = null
  where id in (
    select id from runs r where r.phase_worker is not null
      and coalesce(r.rung_at, r.started_at, r.created_at) < clock_timestamp() - interval '3 s'
      and not exists (select from workers w where w.id = r.phase_worker)
    limit p_limit for update skip locked);
  return v_events;
end $$;

-- What was rung before this moment and is still not taken has no message any more. Ringing by age alone would multiply
-- messages under a backlog, so it takes a sign:
-- 1. the queue is drained (p_empty: no message waits in the broker, nor in a worker's hands), or
-- 2. a mark that was sent through the queue later came out at its other end, longer ago than a worker holds a message
--    without beginning it.
create or replace function lost_before(p_queue text, p_empty text[]) returns timestamptz language sql volatile as $$
  select greatest(
    case when p_queue = any (p_empty) then clock_timestamp() - interval '3 s' end,
    (select came_sent_at - interval '5 s' from queue_marks where queue = p_queue and came_at < clock_timestamp()
       - case when exists (select from workers where kind = p_queue and backlog > 0) then interval '20 s'
              else interval '4 s' end))
$$;

-- The more often in vain, the longer the wait for the next ring.
create or replace function patience(p_rings int) returns interval language sql immutable as $$
  select interval '3 s' * power(2, least(p_rings, 3) - 1)
$$;

-- Shall a mark go through this queue? Its time if so: when none is under way (one that stays out for a minute is lost).
create or replace function send_mark(p_queue text, p_phases text[]) returns timestamptz language plpgsql
set enable_seqscan = off as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  if not exists (select from steps where status = 'ready' and queue = p_queue and rung_at < v_now - interval '5 s')
     and not exists (select from runs where phase = any (p_phases) and phase_worker is null and paused_at is null
                       and rung_at < v_now - interval '5 s') then
    return null; -- nothing waits
  elsif not exists (select from workers where kind = p_queue) then
    return null; -- nobody would take it out
  end if;
  insert into queue_marks as m (queue, sent_at) values (p_queue, v_now)
  on conflict (queue) do update set sent_at = v_now
  where (m.came_sent_at = m.sent_at and m.came_at < v_now - interval '30 s') or m.sent_at < v_now - interval '60 s';
  return case when found then v_now end;
end $$;

create or replace function mark_came(p_queue text, p_sent timestamptz) returns void language sql as $$
  update queue_marks set came_at = clock_timestamp(), came_sent_at = p_sent
  where queue = p_queue and (came_sent_at is null or came_sent_at < p_sent)
$$;

-- Looking for what is lost finds nothing as a rule, which the planner can't know: among a hundred thousand sleepers it
-- would expect to come upon some soon, and read the whole table in vain. So here it may not.
create or replace function lost_steps(p_queues text[], p_empty text[], p_limit int)
returns table (run_id uuid, step_id text) rows 50 language plpgsql set enable_seqscan = off as $$
declare
  v_queue text;
  v_before timestamptz;
begin
  return query select s.run_id, s.id from steps s where s.status = 'ready' and s.rung_at is null limit p_limit;
  foreach v_queue in array p_queues loop
    v_before := lost_before(v_queue, p_empty);
    return query
      select s.run_id, s.id from steps s
      where s.status = 'ready' and s.rung_at < v_before and s.queue = v_queue
        and s.rung_at < clock_timestamp() - patience(s.rings)
      order by s.rung_at limit p_limit;
  end loop;
end $$;

-- Due timers and retries become ready; then every ready step that has no living message is marked rung and returned as
-- [run, step].
create or replace function sweep_steps(p_queues text[], p_empty text[], p_limit int) returns jsonb language plpgsql
set enable_seqscan = off as $$
declare
  v_now timestamptz := clock_timestamp(); -- a variable, since no index is searched for a volatile function's value
  v_found jsonb;
begin
  update steps set status = 'ready', ready_at = v_now, rung_at = null, due_at = null
  where (run_id, id) in (
    select run_id, id from steps where status = 'waiting' and due_at <= v_now
    order by due_at limit p_limit for update skip locked);
  with lost as (
    select s.run_id, s.id from lost_steps(p_queues, p_empty, p_limit) l
      join steps s on (s.run_id, s.id) = (l.run_id, l.step_id)
    where s.status = 'ready' and coalesce(s.rung_at, '-infinity') < clock_timestamp() - interval '1 s' -- not just rung
    limit p_limit for update of s skip locked
  ), rung as (
    update steps s set rung_at = clock_timestamp(), rings = s.rings + 1
    from lost where (s.run_id, s.id) = (lost.run_id, lost.id) returning s.run_id, s.id
  )
  select coalesce(jsonb_agg(jsonb_build_array(run_id, id)), '[]') into v_found from rung;
  return v_found;
end $$;

create or replace function lost_phases(p_queues jsonb, p_empty text[], p_limit int)
returns setof uuid rows 50 language plpgsql set enable_seqscan = off as $$
declare
  v_phase text;
  v_before timestamptz;
begin
  foreach v_phase in array array['plan', 'execute', 'reflect', 'remember'] loop
    v_before := lost_before(p_queues ->> v_phase, p_empty);
    return query
      select id from runs
      where phase = v_phase and rung_at is null and phase_worker is null and paused_at is null and held_until is null
        and (due_at is null or due_at <= clock_timestamp()) and (v_phase <> 'execute' or open_steps = 0)
      limit p_limit;
    return query
      select id from runs
      where phase = v_phase and rung_at < v_before and phase_worker is null and paused_at is null and held_until is null
        and (due_at is null or due_at <= clock_timestamp()) and (v_phase <> 'execute' or open_steps = 0)
        and rung_at < clock_timestamp() - patience(rings)
      order by rung_at limit p_limit;
  end loop;
end $$;

-- The same rule for phases that nobody owns, and for executions that are settled though no chord said so; p_queues: the
-- queue of each phase. Returned as [run, phase].
create or replace function sweep_phases(p_queues jsonb, p_empty text[], p_limit int) returns jsonb language sql
set enable_seqscan = off as $$
  with lost as (
    select r.id from lost_phases(p_queues, p_empty, p_limit) as l(id) join runs r using (id)
    where r.phase is not null and r.phase_worker is null
      and coalesce(r.rung_at, '-infinity') < clock_timestamp() - interval '1 s'
    limit p_limit for update of r skip locked
  ), rung as (
    update runs r set rung_at = clock_timestamp(), rings = r.rings + 1 from lost where r.id = lost.id
    returning r.id, r.phase
  )
  select coalesce(jsonb_agg(jsonb_build_array(id, case phase when 'execute' then 'reflect' else phase end)), '[]')
  from rung
$$;

-- The broker lost everything: forget that anything was rung. What waits at a flow key waits on.
create or replace function forget_rings() returns void language sql as $$
  update steps set rung_at = null where status = 'ready' and rung_at < parked();
  update runs set rung_at = null where phase is not null and phase_worker is null and rung_at < parked()
$$;
