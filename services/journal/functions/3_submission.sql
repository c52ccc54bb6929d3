-- What a caller may ask of the start of a run: to be taken once, to be one with others, to begin later, or by a time.
-- A run that is held (held_until) is in its planning phase, queued, with what it has of steps pending: nothing takes it.

-- The run that stands for this one already, or null: then this one is to be created. p: as create_run takes it.
-- coalesce modes: singleton (one at a time), debounce (the last one counts: it takes the place of one that has not
-- begun), batch (one that has not begun takes in more requests). Whoever comes second waits for the first to commit.
create or replace function stands_for(p jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  c jsonb := nullif(p -> 'coalesce', 'null');
  v_tenant text := p ->> 'tenant';
  v_first uuid;
begin
  if p ->> 'dedup_key' is not null then
    v_first := deduplicated(v_tenant, 'run', p ->> 'dedup_key', (p ->> 'dedup_seconds')::double precision,
                            (p ->> 'id')::uuid);
    if v_first is not null then
      return jsonb_build_object('existing', v_first, 'how', 'deduplicated', 'events', '[]'::jsonb);
    end if;
  end if;
  if c is null then
    return null;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(v_tenant || '/' || (c ->> 'key'), 29));
  r := coalescing(v_tenant, c ->> 'key');
  if r.id is not null and c ->> 'mode' = 'singleton' then
    return jsonb_build_object('existing', r.id, 'how', 'coalesced', 'events', '[]'::jsonb);
  elsif c ->> 'mode' = 'batch' and r.held_until > clock_timestamp() then
    return jsonb_build_object('existing', r.id, 'how', 'coalesced', 'events', '[]'::jsonb,
                              'others', take_in(r, p ->> 'request', (c ->> 'max')::int));
  end if;
  return null;
end $$;

-- The newest live run of a key, locked.
create or replace function coalescing(p_tenant text, p_key text) returns runs language sql volatile as $$
  select r.* from submissions s join runs r on r.id = s.run_id
  where s.tenant = p_tenant and s.coalesce_key = p_key and r.phase is not null and not r.cancel_requested
  order by r.created_at desc limit 1 for update of r
$$;

-- One more request for a run that collects them.
create or replace function take_in(r runs, p_request text, p_max int) returns jsonb language plpgsql as $$
declare
  v_count int;
begin
  update submissions set coalesced = coalesced + 1 where run_id = r.id returning coalesced into v_count;
  update runs
  set request = request || E'\n\n' || p_request, last_seq = last_seq + 1,
      held_until = case when v_count >= p_max then clock_timestamp() else held_until end
  where id = r.id;
  update messages set text = text || E'\n\n' || p_request where run_id = r.id and role = 'user';
  return jsonb_build_array(record_event(r.id, r.tenant, r.last_seq + 1, 'run.coalesced', null, jsonb_build_object(
    'request', p_request, 'count', v_count)));
end $$;

-- After its creation: from when and until when it may begin, and whom it takes the place of. Returns the events of others.
create or replace function submit_run(p jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  o runs%rowtype;
  c jsonb := nullif(p -> 'coalesce', 'null');
  v_now timestamptz := clock_timestamp();
  v_until timestamptz := (p ->> 'not_before')::timestamptz;
  v_since timestamptz;
  v_events jsonb := '[]';
begin
  select * into r from runs where id = (p ->> 'id')::uuid for update;
  if c ->> 'mode' in ('debounce', 'batch') then
    v_until := greatest(v_until, v_now + make_interval(secs => (c ->> 'seconds')::double precision));
    v_since := v_now;
    o := coalescing(r.tenant, c ->> 'key');
    if c ->> 'mode' = 'debounce' and o.held_until > v_now then
      select coalesce(coalesce_since, v_now) into v_since from submissions where run_id = o.id;
      v_until := least(v_until, v_since + make_interval(secs => (c ->> 'longest')::double precision));
      update runs set error = jsonb_build_object('reason', 'coalesced', 'workflowId', r.id,
                                                 'detail', format('Run %s takes its place.', r.id)) where id = o.id;
      v_events := cancel_run(o.id, o.tenant);
    end if;
  end if;
  insert into submissions (run_id, tenant, callbacks, coalesce_key, coalesce_since, begin_by)
  values (r.id, r.tenant, nullif(p -> 'callbacks', 'null'), c ->> 'key', v_since,
          v_now + make_interval(secs => (p ->> 'ttl')::double precision));
  if v_until > v_now or (r.waits_for is not null and r.phase <> 'plan') then
    perform hold_run(r.id, greatest(v_until, v_now)); -- one that waits for another run is let go on by sweep_held too
  end if;
  return v_events;
end $$;

create or replace function hold_run(p_run uuid, p_until timestamptz) returns void language sql as $$
  update steps set status = 'pending', rung_at = null where run_id = p_run and status = 'ready';
  update runs
  set phase = 'plan', status = 'queued', started_at = null, held_until = p_until, rung_at = parked() where id = p_run
$$;

-- Let a held run begin. Returns {events, ready, phase}: the phase to ring; null when it is not held.
create or replace function release_run(p_run uuid) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  if r.phase is null or r.held_until is null or r.paused_at is not null or r.waits_for is not null then
    return null;
  elsif r.plan_revision = 0 then
    update runs set held_until = null, rung_at = clock_timestamp(), rings = 1 where id = p_run;
    return '{"events": [], "ready": [], "phase": "plan"}';
  end if;
  update runs
  set held_until = null, phase = 'execute', status = 'executing', started_at = clock_timestamp(), rung_at = parked()
  where id = p_run returning * into r;
  return rework_steps(r, '[]', 0) || '{"ready": [], "phase": "execute"}'; -- its first steps are begin_execution's
end $$;

-- The same, as a person asks for it.
create or replace function hasten_run(p_run uuid, p_tenant text) returns jsonb language plpgsql as $$
begin
  if not exists (select from runs where id = p_run and tenant = p_tenant) then
    return null;
  end if;
  return coalesce(release_run(p_run), refused('The run is not held back: it has begun, is paused, or waits for another.'));
end $$;

-- What may begin now, as [[run, phase], …]; and what has not begun by its time is cancelled, its events told.
create or replace function sweep_held(p_limit int) returns jsonb language plpgsql set enable_seqscan = off as $$
declare
  r runs%rowtype;
  v_by timestamptz;
  v_released jsonb := '[]';
  v_events jsonb := '[]';
  v_found jsonb;
begin
  for r in
    select runs.* from submissions s join runs on runs.id = s.run_id
    where begin_by <= clock_timestamp() order by begin_by limit p_limit for update of runs skip locked
  loop
    select begin_by into v_by from submissions where run_id = r.id;
    update submissions set begin_by = null where run_id = r.id;
    if r.phase in ('plan', 'execute') and r.phase_attempt = 0
       and not exists (select from steps where run_id = r.id and attempt > 0) then
      update runs set error = jsonb_build_object('reason', 'ttl', 'detail',
        format('It had not begun by %s, as it was to.', wire_time(v_by))) where id = r.id;
      v_events := v_events || cancel_run(r.id, r.tenant);
    end if;
  end loop;
  for r in
    select * from runs
    where held_until <= clock_timestamp() and phase is not null and waits_for is null and paused_at is null
    order by held_until limit p_limit for update skip locked
  loop
    v_found := release_run(r.id);
    if v_found is not null then
      v_events := v_events || (v_found -> 'events');
      v_released := v_released || jsonb_build_array(jsonb_build_array(r.id, v_found -> 'phase'));
    end if;
  end loop;
  return jsonb_build_object('released', v_released, 'events', v_events);
end $$;
