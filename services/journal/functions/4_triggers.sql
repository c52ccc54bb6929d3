-- A call of a trigger starts its run and is remembered in one commit; one that comes again starts nothing.
create or replace function start_by_trigger(p_trigger text, p_message text, p_run jsonb) returns jsonb
language plpgsql as $$
declare
  v_made jsonb;
  v_run uuid;
begin
  insert into trigger_calls (trigger_id, message_id, run_id) values (p_trigger, p_message, (p_run ->> 'id')::uuid)
  on conflict (trigger_id, message_id) do update set run_id = trigger_calls.run_id returning run_id into v_run;
  if v_run <> (p_run ->> 'id')::uuid then
    return jsonb_build_object('replayed', v_run);
  end if;
  v_made := create_run(p_run);
  if v_made ->> 'existing' is not null then
    update trigger_calls set run_id = (v_made ->> 'existing')::uuid where trigger_id = p_trigger and message_id = p_message;
  elsif not exists (select from runs where id = v_run) then -- its conversation was busy
    delete from trigger_calls where trigger_id = p_trigger and message_id = p_message;
  end if;
  return v_made;
end $$;
