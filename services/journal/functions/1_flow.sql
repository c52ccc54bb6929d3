-- Flow control: which steps may start now, and whose turn is next. Lock order: run, then keys by name, then steps. Only
-- steps that were marked (steps.flow_keys) ever come here, and messages that are sent with a key (5_delivery.sql). What
-- runs at a key is counted from the steps and messages under the key's row lock, which every start takes: an end that has
-- not committed yet counts as running, so a limit is never exceeded.

-- A parked step is ready, but rung in a far future: no sweeper rings it, and all else treats it as what it is, ready.
create or replace function parked() returns timestamptz language sql immutable as $$
  select timestamptz '9000-01-01 00:00:00+00'
$$;

-- The same for an execution whose chord can't be trusted: a member died with its worker, or all members have returned
-- while a step waited. Whoever settles the run rings the next phase then.
create or replace function chordless() returns timestamptz language sql immutable as $$
  select timestamptz '9001-01-01 00:00:00+00'
$$;

-- The keys that a step could be limited by: the same names as services/flow/keys.py makes.
create or replace function flow_names(p_tenant text, p_agent text, p_tool text, p_flow text) returns text[]
language sql immutable as $$
  select array_remove(array['tenant:' || p_tenant, 'tool:' || p_tool, p_tenant || '/agent:' || p_agent,
                            p_tenant || '/' || p_flow], null)
$$;

-- Those of them that have a limit.
create or replace function flow_marks(p_tenant text, p_agent text, p_tool text, p_flow text) returns text[]
language sql stable as $$
  select coalesce(array_agg(name order by name), '{}') from flow_keys
  where name = any (flow_names(p_tenant, p_agent, p_tool, p_flow))
$$;

create or replace function flow_running(p_name text) returns int language sql stable as $$
  select (select count(*)::int from steps where status = 'running' and flow_keys <> '{}' and p_name = any (flow_keys))
    + (select count(*)::int from delivery_messages where status = 'delivering' and flow = p_name)
$$;

-- Slots kept for steps whose turn has come and that nobody has claimed yet.
create or replace function flow_granted(p_name text, p_but_run uuid, p_but_step text) returns int
language sql stable as $$
  select count(*)::int from flow_waits w join steps s on (s.run_id, s.id) = (w.run_id, w.step_id)
  where w.name = p_name and w.granted_at is not null and s.status = 'ready'
    and (w.run_id, w.step_id) is distinct from (p_but_run, p_but_step)
$$;

create or replace function flow_started(k flow_keys) returns int language sql volatile as $$
  select count(*)::int from unnest(k.starts) as at where at > clock_timestamp() - make_interval(secs => k.period)
$$;

-- How many more steps may start at this key now.
create or replace function flow_room(k flow_keys, p_run uuid, p_step text) returns int language sql volatile as $$
  select case when k.paused then 0 else greatest(0, least(
    coalesce(k.parallelism - flow_running(k.name), 1000000),
    coalesce(k.rate - flow_started(k), 1000000)) - flow_granted(k.name, p_run, p_step)) end
$$;

-- May this ready step start now? If so its start is counted; if not it is parked at the first key that has no room, or
-- where others are in line before it. The caller holds the run's lock.
create or replace function flow_admit(r runs, s steps) returns boolean language plpgsql as $$
declare
  k flow_keys%rowtype;
  w flow_waits%rowtype;
begin
  perform from flow_keys where name = any (s.flow_keys) order by name for update;
  select * into w from flow_waits where run_id = s.run_id and step_id = s.id;
  for k in select * from flow_keys where name = any (s.flow_keys) order by name loop
    if flow_room(k, s.run_id, s.id) <= 0 or (not (w.name is not distinct from k.name and w.granted_at is not null)
       and flow_line_before(k.name, s.run_id, s.id)) then
      perform flow_park(r, s, k, w);
      return false;
    end if;
  end loop;
  delete from flow_waits where run_id = s.run_id and step_id = s.id;
  update flow_keys set starts = (starts || clock_timestamp())[greatest(1, cardinality(starts) + 2 - rate):]
  where name = any (s.flow_keys) and rate is not null;
  return true;
end $$;

-- Does somebody else wait at this key who could start?
create or replace function flow_line_before(p_name text, p_run uuid, p_step text) returns boolean language sql stable as $$
  select exists (
    select from flow_waits w join steps s on (s.run_id, s.id) = (w.run_id, w.step_id)
    where w.name = p_name and w.granted_at is null and s.status = 'ready' and (w.run_id, w.step_id) <> (p_run, p_step))
$$;

-- A place in the line: a tenant's turns follow each other by one and begin where the line stands now, so that tenants
-- take turns however many steps each has waiting (start-time fair queueing, Goyal et al. 1996, equal weights).
create or replace function flow_park(r runs, s steps, k flow_keys, w flow_waits) returns void language plpgsql as $$
declare
  v_turn double precision := 1 + greatest(k.virtual_time, (
    select max(turn) from flow_waits where name = k.name and tenant = s.tenant and priority = r.priority));
begin
  if w.name is distinct from k.name then
    insert into flow_waits (run_id, step_id, name, tenant, priority, turn, since)
    values (s.run_id, s.id, k.name, s.tenant, r.priority, v_turn, coalesce(w.since, clock_timestamp()))
    on conflict (run_id, step_id) do update set name = k.name, turn = v_turn, granted_at = null;
  elsif w.granted_at is not null then -- its turn came, but meanwhile the key was paused or its limit lowered
    update flow_waits set granted_at = null where run_id = s.run_id and step_id = s.id;
  end if;
  update steps set rung_at = parked() where run_id = s.run_id and id = s.id and status = 'ready';
  update runs set rung_at = chordless() where id = r.id and rung_at = parked();
end $$;

-- Grant what is free at a key to the next in line, by priority, then by turn; returned as [run, step], to be rung. It
-- locks the key and then only steps that nobody holds, so it can't deadlock with who holds a run and wants the key.
create or replace function flow_release(p_name text) returns jsonb language plpgsql as $$
declare
  k flow_keys%rowtype;
  v_room int;
  v_full text[];
  v_granted jsonb;
begin
  select * into k from flow_keys where name = p_name for update;
  v_room := case when found then flow_room(k, null, null) else 1000000 end; -- or the limit is gone
  delete from flow_waits w where w.name = p_name and not exists (
    select from steps s where (s.run_id, s.id) = (w.run_id, w.step_id) and s.status in ('pending', 'ready'));
  if v_room = 0 or not exists (select from flow_waits where name = p_name and granted_at is null) then
    return '[]';
  end if;
  v_full := array(select name from flow_keys f where name <> p_name and flow_room(f, null, null) = 0);
  with next as (
    select w.run_id, w.step_id from flow_waits w join steps s on (s.run_id, s.id) = (w.run_id, w.step_id)
    where w.name = p_name and w.granted_at is null and s.status = 'ready' and s.rung_at = parked()
      and not s.flow_keys && v_full -- its turn would be wasted: it waits for another key too
    order by w.priority, w.turn, w.since limit v_room for no key update of s, w skip locked
  ), granted as (
    update flow_waits w set granted_at = clock_timestamp() from next n
    where (w.run_id, w.step_id) = (n.run_id, n.step_id) returning w.run_id, w.step_id, w.turn, w.priority
  ), rung as (
    update steps s set rung_at = clock_timestamp(), rings = 1 from next n where (s.run_id, s.id) = (n.run_id, n.step_id)
  ), moved as (
    update flow_keys f set virtual_time = greatest(virtual_time, (select max(turn) from granted)) where f.name = p_name
      and exists (select from granted)
  )
  select coalesce(jsonb_agg(jsonb_build_array(run_id, step_id) order by priority, turn), '[]') into v_granted
  from granted;
  return v_granted;
end $$;

create or replace function flow_waited_at() returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(distinct name), '[]') from flow_waits
$$;

create or replace function flow_set(p_name text, p_parallelism int, p_rate int, p_period double precision) returns void
language sql as $$
  insert into flow_keys (name, parallelism, rate, period) values (p_name, p_parallelism, p_rate, p_period)
  on conflict (name) do update
  set parallelism = p_parallelism, rate = p_rate, period = p_period,
      starts = case when p_rate is null then '{}'::timestamptz[] else flow_keys.starts end
$$;

-- Live runs with steps that a new limit holds for; to be marked once the limit is committed: plans accepted from then on
-- are marked by themselves.
create or replace function flow_unmarked(p_name text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(distinct r.id), '[]') from runs r join steps s on s.run_id = r.id
  where r.phase = 'execute' and s.status in ('pending', 'ready', 'waiting', 'running', 'failed', 'in_doubt', 'skipped')
    and p_name = any (flow_names(s.tenant, r.agent, s.tool, s.flow)) and p_name <> all (s.flow_keys)
$$;

create or replace function flow_mark(p_run uuid) returns void language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  update steps s set flow_keys = flow_marks(s.tenant, r.agent, s.tool, s.flow)
  where s.run_id = p_run and s.status not in ('succeeded', 'cancelled');
end $$;

create or replace function flow_remove(p_name text) returns boolean language plpgsql as $$
begin
  delete from flow_keys where name = p_name;
  return found;
end $$;

create or replace function flow_pause(p_name text, p_paused boolean) returns boolean language plpgsql as $$
begin
  update flow_keys set paused = p_paused where name = p_name;
  return found;
end $$;

-- Limits with what happens at them now: one, or all that the tenant's steps may meet.
create or replace function flow_counts(p_name text, p_tenant text) returns jsonb language sql volatile as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'name', k.name, 'parallelism', k.parallelism, 'rate', k.rate, 'period', k.period, 'paused', k.paused,
    'running', flow_running(k.name), 'waiting', (
      select count(*) from flow_waits w join steps s on (s.run_id, s.id) = (w.run_id, w.step_id)
      where w.name = k.name and w.granted_at is null and s.status = 'ready'),
    'started', flow_started(k)) order by k.name), '[]')
  from flow_keys k
  where case when p_name is not null then k.name = p_name
    else k.name like 'tool:%' or k.name = 'tenant:' || p_tenant or starts_with(k.name, p_tenant || '/') end
$$;

-- Where a parked step stands in its line; null when it is not parked.
create or replace function flow_turn(p_run uuid, p_step text) returns jsonb language sql volatile as $$
  select jsonb_build_object(
    'key', k.name, 'running', flow_running(k.name), 'parallelism', k.parallelism, 'rate', k.rate, 'period', k.period,
    'paused', k.paused, 'since', w.since, 'before', (
      select count(*) from flow_waits o join steps s on (s.run_id, s.id) = (o.run_id, o.step_id)
      where o.name = w.name and o.granted_at is null and s.status = 'ready'
        and (o.priority, o.turn, o.since) < (w.priority, w.turn, w.since)))
  from flow_waits w join flow_keys k using (name)
  where w.run_id = p_run and w.step_id = p_step and w.granted_at is null
$$;
