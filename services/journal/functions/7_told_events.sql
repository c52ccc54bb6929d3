-- Who is told of events: webhooks, and the URLs that a run was started with. A message is written in the commit of its
-- event, so none is lost and none tells what was not. Steps' events are told by a cursor on the run (tell_of_steps), so
-- that a step costs nothing more for those who ask for none.

create or replace function hears(p_events text[], p_name text) returns boolean language sql immutable as $$
  select exists (select from unnest(p_events) as e where e in ('*', p_name) or (e like '%.*' and p_name like left(e, -1) || '%'))
$$;

-- An event as it is told to others (Standard Webhooks: type, timestamp, data). What is big is left to be fetched.
create or replace function told_event(r runs, p_seq int, p_name text, p_step text, p_at timestamptz, p_data jsonb)
returns jsonb language sql stable as $$
  select jsonb_build_object('type', p_name, 'timestamp', wire_time(p_at), 'data', jsonb_build_object(
      'workflowId', r.id, 'seq', p_seq, 'stepId', p_step, 'conversationId', r.conversation_id, 'userId', r.user_id,
      'agent', r.agent, 'labels', r.labels)
    || case when is_blob(p_data -> 'output')
         then p_data - 'output' || jsonb_build_object('outputUrl', '/api/runs/' || r.id) else p_data end)
$$;

create or replace function told_message(r runs, p_url text, p_body jsonb) returns jsonb language sql volatile as $$
  select jsonb_build_object(
    'id', gen_random_uuid(), 'tenant', r.tenant, 'url', p_url, 'host', substring(p_url from '^[a-z]+://([^/?#]+)'),
    'method', 'POST', 'headers', '{"Content-Type": "application/json"}'::jsonb, 'body', to_jsonb(p_body::text),
    'timeout', 30, 'max_attempts', 13, 'retry_delay', 'min(21600, 5 * 3 ** (attempt - 1))', 'run_id', r.id)
$$;

create or replace function tell_of(e events) returns void language plpgsql as $$
declare
  r runs%rowtype;
  w webhooks%rowtype;
  v_callbacks jsonb := (select callbacks from submissions where run_id = e.run_id);
  v_body jsonb;
  v_url text;
begin
  if v_callbacks is null and not exists (select from webhooks where tenant = e.tenant) then
    return;
  end if;
  select * into r from runs where id = e.run_id;
  v_body := told_event(r, e.seq, e.name, e.step_id, e.at, e.data);
  for w in
    select * from webhooks
    where tenant = e.tenant and not paused and paused_because is null and hears(events, e.name)
      and r.labels @> labels
  loop
    perform insert_message(told_message(r, w.url, v_body) || jsonb_build_object(
      'source', 'webhook', 'subscription_id', w.id));
  end loop;
  v_url := v_callbacks ->> case
    when e.name = 'run.succeeded' then 'success'
    when e.name in ('run.failed', 'run.cancelled') then 'failure'
    when e.name in ('run.paused', 'budget.exceeded', 'approval.requested') then 'paused' end;
  if v_url is not null then
    perform insert_message(told_message(r, v_url, v_body) || jsonb_build_object(
      'source', 'callback', 'secret', v_callbacks -> 'secret'));
  end if;
end $$;

-- Events of runs, whichever function records them. Those of approvals belong to a step: ask_person and decide_approval
-- tell of them, so that the condition is one that costs the events of steps nothing.
create or replace function tell_of_event() returns trigger language plpgsql as $$
begin
  if new.name like 'run.%' or new.name = 'budget.exceeded' then
    perform tell_of(new);
  end if;
  return null;
end $$;

create or replace trigger events_are_told after insert on events for each row when (new.step_id is null)
execute function tell_of_event();

-- The ends of steps, for runs that were started with a URL for them. A run's events are committed in their order, so
-- whoever sees one has seen all before it.
create or replace function tell_of_steps(p_limit int) returns jsonb language plpgsql as $$
declare
  s submissions%rowtype;
  r runs%rowtype;
  e events%rowtype;
  v_told int := 0;
begin
  for s in
    select * from submissions m
    where callbacks ? 'step' and exists (select from events where run_id = m.run_id and seq > m.told_seq)
    order by run_id limit p_limit for update skip locked
  loop
    select * into r from runs where id = s.run_id;
    for e in select * from events where run_id = s.run_id and seq > s.told_seq order by seq loop
      if e.name in ('step.succeeded', 'step.failed', 'step.skipped') then
        perform insert_message(told_message(r, s.callbacks ->> 'step', told_event(
          r, e.seq, e.name, e.step_id, e.at, e.data)) || jsonb_build_object(
          'source', 'callback', 'secret', s.callbacks -> 'secret'));
        v_told := v_told + 1;
      end if;
      s.told_seq := e.seq;
    end loop;
    update submissions
    set told_seq = s.told_seq,
        callbacks = case when e.name in ('run.succeeded', 'run.failed', 'run.cancelled') then callbacks - 'step'
                         else callbacks end
    where run_id = s.run_id;
  end loop;
  return to_jsonb(v_told);
end $$;
