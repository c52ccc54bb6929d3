-- What the sweeper and the heartbeats call. All are safe at any number of copies.

create or replace function beat_worker(p_worker text, p_kind text, p_host text, p_pid int, p_started double precision,
                                       p_backlog int default 0)
returns int language sql as $$
  insert into workers (id, kind, host, pid, process_started, backlog)
  values (p_worker, p_kind, p_host, p_pid, p_started, p_backlog)
  on conflict (id) do update set beat_at = clock_timestamp(), backlog = excluded.backlog;
  select count(*)::int from workers where kind = p_kind and beat_at > clock_timestamp() - interval '10 s'
$$;

create or replace function overdue_workers(p_seconds double precision) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(id), '[]') from workers where beat_at < clock_timestamp() - make_interval(secs => p_seconds)
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
    select id from runs r where r.phase_worker is not null and r.rung_at < clock_timestamp() - interval '3 s'
      and not exists (select from workers w where w.id = r.phase_worker)
    limit p_limit for update skip locked);
  return v_events;
end $$;

-- Due timers and retries become ready; then every ready step that has no living message is marked rung and returned as
-- [run, step, queue]. Presumed lost: rung a while ago *and* either its queue is drained (p_empty: no message waits in the
-- broker, nor in a worker's hands) or something rung later already runs. Age alone would multiply messages under a
-- backlog.
create or replace function sweep_steps(p_empty text[], p_limit int) returns jsonb language plpgsql as $$
declare
  v_found jsonb;
begin
  update steps set status = 'ready', ready_at = clock_timestamp(), rung_at = null, due_at = null
  where (run_id, id) in (
    select run_id, id from steps where status = 'waiting' and due_at <= clock_timestamp()
    order by due_at limit p_limit for update skip locked);
  with newest as (
    select queue, max(rung_at) as rung_at from steps where status = 'running' group by queue
  ), lost as (
    select s.run_id, s.id from steps s left join newest n using (queue)
    where s.status = 'ready' and (s.rung_at is null or (
      s.rung_at < clock_timestamp() - interval '3 s' * power(2, least(s.rings, 3) - 1)
      and (s.queue = any (p_empty) or s.rung_at < n.rung_at - interval '5 s')))
    order by s.rung_at nulls first limit p_limit for update of s skip locked
  ), rung as (
    update steps s set rung_at = clock_timestamp(), rings = s.rings + 1
    from lost where (s.run_id, s.id) = (lost.run_id, lost.id) returning s.run_id, s.id, s.queue
  )
  select coalesce(jsonb_agg(jsonb_build_array(run_id, id, queue)), '[]') into v_found from rung;
  return v_found;
end $$;

-- The same rule for phases that nobody owns, and for executions that are settled though no chord said so; returned as
-- [run, phase].
create or replace function sweep_phases(p_empty text[], p_limit int) returns jsonb language sql as $$
  with newest as (
    select phase, max(rung_at) as rung_at from runs where phase is not null and phase_worker is not null group by phase
  ), lost as (
    select r.id from runs r left join newest n using (phase)
    where r.phase is not null and r.phase_worker is null and r.paused_at is null
      and (r.phase <> 'execute' or r.open_steps = 0)
      and (r.due_at is null or r.due_at <= clock_timestamp())
      and (r.rung_at is null or (
        r.rung_at < clock_timestamp() - interval '3 s' * power(2, least(r.rings, 3) - 1)
        and (r.phase = 'execute' or r.phase = any (p_empty) or r.rung_at < n.rung_at - interval '5 s')))
    order by r.rung_at nulls first limit p_limit for update of r skip locked
  ), rung as (
    update runs r set rung_at = clock_timestamp(), rings = r.rings + 1 from lost where r.id = lost.id
    returning r.id, r.phase
  )
  select coalesce(jsonb_agg(jsonb_build_array(id, case phase when 'execute' then 'reflect' else phase end)), '[]')
  from rung
$$;

-- The broker lost everything: forget that anything was rung.
create or replace function forget_rings() returns void language sql as $$
  update steps set rung_at = null where status = 'ready';
  update runs set rung_at = null where phase is not null and phase_worker is null
$$;
