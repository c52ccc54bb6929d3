-- Steps whose tool the worker that claimed them does not have: another worker's may have it, or a later version's.

-- Give the step back untouched: nothing was called, so this counts as no failure and leaves no doubt. It is tried again
-- after a while that doubles up to a minute, and at once when a worker comes that has the tool. Returns the events.
create or replace function return_step(p_run uuid, p_step text, p_attempt int, p_detail text) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  v_error jsonb := jsonb_build_object('reason', 'no_tool', 'detail', p_detail);
  v_tries int;
begin
  select * into r from runs where id = p_run for update;
  select count(*) into v_tries from attempts
  where run_id = p_run and step_id = p_step and error ->> 'reason' = 'no_tool';
  update steps
  set status = 'waiting', worker = null, deadline = null, error = v_error,
      due_at = clock_timestamp() + make_interval(secs => least(60, power(2, least(v_tries, 6))))
  where run_id = p_run and id = p_step and attempt = p_attempt and status = 'running' and not r.cancel_requested
  returning * into s;
  if s.id is null then -- cancelled, or fenced off
    return lose_step(p_run, p_step, p_attempt, 'handed_back');
  end if;
  perform record_attempt(s, 'handed_back', null, v_error);
  update runs set last_seq = r.last_seq + 1 where id = p_run;
  return jsonb_build_array(record_event(p_run, r.tenant, r.last_seq + 1, 'step.waiting', p_step, jsonb_build_object(
    'attempt', p_attempt, 'until', wire_time(s.due_at))));
end $$;

-- A worker that has these tools is there: what waited for one of them is due.
create or replace function tools_came(p_tools text[]) returns void language sql as $$
  update steps set due_at = clock_timestamp()
  where (run_id, id) in (
    select run_id, id from steps
    where status = 'waiting' and error ->> 'reason' = 'no_tool' and tool = any (p_tools) for update skip locked)
$$;
