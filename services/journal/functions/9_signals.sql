-- Signals: something happened outside, and steps wait for it by name. A signal is kept, so that one which comes before
-- its wait is found: by a wait of the run that it was sent to; by name, what came since the run began, or before (up to
-- p_lookback seconds) without waking anybody. Each wait of a run takes a later one than the waits before it.

create or replace function signal_lock(p_tenant text, p_name text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended(p_tenant || '/' || p_name, 19))
$$;

-- The signal that this step's wait takes, or null.
create or replace function signal_for(r runs, p_name text, p_lookback double precision) returns signals
language sql stable as $$
  select g from signals g
  where g.tenant = r.tenant and g.name = p_name and (g.run_id = r.id or g.run_id is null)
    and (g.run_id is not null or g.at >= r.created_at
         or g.woken = 0 and g.at >= r.created_at - make_interval(secs => p_lookback))
    and g.id > coalesce((select max((a.decision ->> 'signal')::bigint) from approvals a
                         where a.run_id = r.id and a.kind = 'signal' and a.arguments ->> 'event' = p_name), 0)
  order by g.id limit 1
$$;

-- Answers the wait; what follows is the caller's.
create or replace function take_signal(p_approval uuid, g signals) returns void language plpgsql as $$
begin
  update approvals
  set status = 'answered', decided_at = clock_timestamp(), decided_by = 'signal',
      decision = jsonb_build_object('answer', g.data, 'signal', g.id, 'at', wire_time(g.at))
  where id = p_approval;
  update signals set woken = woken + 1 where id = g.id;
end $$;

-- "This step waits for a signal": as ask_person, but one that is there already is the answer at once.
create or replace function await_signal(p_run uuid, p_step text, p_attempt int, p_worker text, p_input jsonb,
                                        p_delay double precision, p_room int, p_instant text[], p_held text[],
                                        p_asks jsonb)
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  g signals;
  v_name text := p_asks #>> '{arguments,event}';
  v_found jsonb;
  v_woken jsonb;
begin
  perform signal_lock((select tenant from runs where id = p_run), v_name);
  v_found := ask_person(p_run, p_step, p_attempt, p_worker, p_input, p_delay, p_room, p_instant, p_held, p_asks);
  select * into r from runs where id = p_run;
  g := signal_for(r, v_name, (p_asks #>> '{arguments,lookback}')::double precision);
  if g.id is null or not exists (select from steps where run_id = p_run and id = p_step and status = 'waiting') then
    return v_found;
  end if;
  perform take_signal(a.id, g) from approvals a
  where a.run_id = p_run and a.step_id = p_step and a.hash = p_asks ->> 'hash' and a.status = 'open';
  update steps set status = 'pending', due_at = null where run_id = p_run and id = p_step;
  v_woken := as_finished(p_run, rework_steps(r, v_found -> 'events', 1));
  return v_found || jsonb_build_object('events', v_woken -> 'events', 'ready', v_found -> 'ready' || (v_woken -> 'ready'));
end $$;

create or replace function await_signal_again(p_run uuid, p_step text, p_attempt int, p_worker text, p_input jsonb,
                                              p_delay double precision, p_room int, p_instant text[], p_held text[],
                                              p_asks jsonb)
returns jsonb language plpgsql as $$
begin
  perform from runs where id = p_run for update;
  if exists (select from attempts where run_id = p_run and step_id = p_step and attempt = p_attempt
               and outcome in ('waiting', 'cancelled') and worker = p_worker) then
    return '{"fenced": false, "rings": false, "events": [], "claims": [], "ready": []}'; -- the sweeper rings what is ready
  end if;
  return await_signal(p_run, p_step, p_attempt, p_worker, p_input, p_delay, p_room, p_instant, p_held, p_asks);
end $$;

-- Keep a signal. Returns its id and the runs of which a step may wait for it, for wake_by_signal.
-- One with a key is kept once however often it is sent.
create or replace function send_signal(p_tenant text, p_name text, p_run uuid, p_data jsonb, p_key text default null)
returns jsonb
language plpgsql as $$
declare
  v_id bigint;
begin
  perform signal_lock(p_tenant, p_name);
  insert into signals (tenant, name, run_id, data, at, key)
  values (p_tenant, p_name, p_run, p_data, clock_timestamp(), p_key)
  on conflict (tenant, key) do nothing returning id into v_id;
  return jsonb_build_object('id', coalesce(v_id, (select id from signals where tenant = p_tenant and key = p_key)), 'waiting', (
    select coalesce(jsonb_agg(distinct a.run_id), '[]') from approvals a
    where a.tenant = p_tenant and a.kind = 'signal' and a.status = 'open' and a.arguments ->> 'event' = p_name
      and (p_run is null or a.run_id = p_run)));
end $$;

-- The same for a signal that may be sent once: null when it was.
create or replace function send_signal_once(p_tenant text, p_name text, p_run uuid, p_data jsonb) returns jsonb
language plpgsql as $$
begin
  perform signal_lock(p_tenant, p_name);
  if exists (select from signals where tenant = p_tenant and name = p_name) then
    return null;
  end if;
  return send_signal(p_tenant, p_name, p_run, p_data);
end $$;

-- Wake the oldest wait of this run for a signal of that name, if there is one for it. Returns {events, ready, phase,
-- steps}: steps are the ones woken.
create or replace function wake_by_signal(p_run uuid, p_name text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  a approvals%rowtype;
  g signals;
  v_woken text[] := '{}';
begin
  select * into r from runs where id = p_run for update;
  for a in
    select * from approvals
    where run_id = p_run and kind = 'signal' and status = 'open' and arguments ->> 'event' = p_name order by requested_at
  loop
    g := signal_for(r, p_name, (a.arguments ->> 'lookback')::double precision);
    if g.id is not null then
      perform take_signal(a.id, g);
      update steps set status = 'pending', due_at = null where run_id = p_run and id = a.step_id and status = 'waiting';
      v_woken := v_woken || a.step_id;
    end if;
  end loop;
  if v_woken = '{}' then
    return '{"events": [], "ready": [], "steps": []}';
  end if;
  return rework_steps(r, '[]', 1) || jsonb_build_object('steps', v_woken);
end $$;
