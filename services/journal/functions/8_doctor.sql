-- What the doctor mends in one run. The journal's own functions never leave such a state: it stands for what else may
-- happen to a database (a restored backup, a hand-written update, a bug).

-- Counters counted anew, timers without a time made due, what waits for nothing made ready; the steps of a run that has
-- ended are ended too, without an event: its history is closed.
create or replace function mend_run(p_run uuid) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_answer jsonb;
begin
  select * into r from runs where id = p_run for update;
  if not found then
    return jsonb_build_object('events', jsonb_build_array());
  elsif r.phase is null then
    update steps set status = 'cancelled', finished_at = clock_timestamp(), due_at = null, deadline = null
    where run_id = p_run and status in ('pending', 'ready', 'running', 'waiting', 'in_doubt');
    update runs set open_steps = 0 where id = p_run;
    return jsonb_build_object('events', jsonb_build_array());
  end if;
  update steps set due_at = clock_timestamp() where run_id = p_run and status = 'waiting' and due_at is null;
  update steps s set due_at = clock_timestamp()
  where run_id = p_run and status = 'waiting' and control ? 'team' and not exists (
    select from delegations d where d.team = s.control #>> '{team,key}' and d.ended_at is null);
  v_answer := rework_steps(r, jsonb_build_array(), 1);
  if r.phase <> 'execute' then
    return v_answer - 'phase';
  elsif r.cancel_requested and v_answer ->> 'phase' = 'reflect' then
    return jsonb_build_object('events', (v_answer -> 'events') || end_run(p_run, 'cancelled'));
  end if;
  return v_answer;
end $$;
