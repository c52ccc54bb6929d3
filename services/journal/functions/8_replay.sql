-- Recorded replies, and runs that are told them again. A run that is replayed has {"replay": {…}} in its profile.

create or replace function record_call(p_run uuid, p_holder text, p_hash text, p_asked jsonb, p_reply jsonb) returns void
language sql as $$
  insert into recorded_calls (run_id, holder, number, tenant, hash, asked, reply)
  select r.id, p_holder, 1 + (select count(*) from recorded_calls where run_id = p_run and holder = p_holder),
         r.tenant, p_hash, p_asked, kept(r.tenant, r.id, p_reply)
  from runs r where r.id = p_run
  on conflict do nothing
$$;

-- The reply that the recording has for this question of its holder, else for the one in its place. That it was asked is
-- recorded with the replay.
create or replace function replay_call(p_run uuid, p_holder text, p_hash text, p_asked jsonb) returns jsonb
language plpgsql as $$
declare
  v_number int := 1 + (select count(*) from recorded_calls where run_id = p_run and holder = p_holder);
  v_reply jsonb;
begin
  select call -> 'reply' into v_reply
  from replays p cross join jsonb_array_elements(whole(p.tenant, p.recording) -> 'calls') call
  where p.run_id = p_run and call ->> 'holder' = p_holder
  order by call ->> 'hash' = p_hash desc, (call ->> 'number')::int = v_number desc, (call ->> 'number')::int limit 1;
  if v_reply is not null then
    perform record_call(p_run, p_holder, p_hash, p_asked, v_reply);
  end if;
  return v_reply;
end $$;

-- How the recorded step ended, {status, output, error, input, calls}; null when the recording has no such step.
create or replace function replay_step(p_run uuid, p_step text) returns jsonb language sql stable as $$
  select step || jsonb_build_object('calls', exists (
    select from jsonb_array_elements(whole(p.tenant, p.recording) -> 'calls') call where call ->> 'holder' = p_step))
  from replays p cross join jsonb_array_elements(whole(p.tenant, p.recording) -> 'steps') step
  where p.run_id = p_run and step ->> 'id' = p_step
$$;

-- A run that is told what is recorded. p: id, tenant, recording, profile, and what create_run takes. Its budgets are none.
create or replace function create_replay(p jsonb) returns jsonb language plpgsql as $$
declare
  v_made jsonb := create_run(p - 'recording' - 'profile');
begin
  update runs set profile = p -> 'profile', accounts = '{}' where id = (p ->> 'id')::uuid;
  delete from messages where run_id = (p ->> 'id')::uuid;
  insert into replays (run_id, tenant, recording)
  values ((p ->> 'id')::uuid, p ->> 'tenant', kept(p ->> 'tenant', (p ->> 'id')::uuid, p -> 'recording'));
  return v_made;
end $$;
