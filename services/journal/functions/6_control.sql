-- Steps that are left out by their condition, and steps that become one for every item of a list.

-- What rework_steps returns, as finishing a step does.
create or replace function as_finished(p_run uuid, p_reworked jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'fenced', false, 'events', p_reworked -> 'events', 'claims', '[]'::jsonb,
    'rings', coalesce(p_reworked ->> 'phase' = 'reflect', false),
    'ready', (select coalesce(jsonb_agg(jsonb_build_array(id, tool) order by position), '[]') from steps
              where run_id = p_run and p_reworked -> 'ready' ? id))
$$;

create or replace function leave_out_step(p_run uuid, p_step text, p_attempt int, p_because text) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
begin
  select * into r from runs where id = p_run for update;
  select * into s from steps where run_id = p_run and id = p_step and attempt = p_attempt and status = 'running';
  if s.id is null then
    return finish_late(r, p_step, p_attempt, null, 'skipped', null, null);
  end if;
  perform record_attempt(s, 'skipped', null, null);
  update steps
  set status = 'skipped', error = '{"reason": "when"}', finished_at = clock_timestamp(), deadline = null
  where run_id = p_run and id = p_step;
  r.last_seq := r.last_seq + 1;
  return as_finished(p_run, rework_steps(r, jsonb_build_array(record_event(
    p_run, r.tenant, r.last_seq, 'step.skipped', p_step, jsonb_build_object('because', p_because))), 1));
end $$;

-- p_items: the arguments of each step that this one becomes. It waits for them, and its next attempt collects.
create or replace function expand_step(p_run uuid, p_step text, p_attempt int, p_items jsonb) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  v_last int;
  v_seq int;
  v_items text[];
begin
  select * into r from runs where id = p_run for update;
  select * into s from steps where run_id = p_run and id = p_step and attempt = p_attempt and status = 'running';
  if s.id is null or r.cancel_requested then
    return finish_late(r, p_step, p_attempt, null, 'expanded', null, null);
  end if;
  select max(position) into v_last from steps where run_id = p_run;
  v_seq := r.last_seq;
  r.plan_revision := s.plan_revision - 1; -- they belong to the same revision
  perform insert_steps(r, (
    select jsonb_agg(jsonb_build_object(
      'id', format('%s[%s]', p_step, n - 1), 'position', v_last + n, 'tool', s.tool, 'arguments', given,
      'depends_on', s.depends_on, 'dependents', array[p_step], 'required', s.required, 'effect', s.effect,
      'timeout', s.timeout, 'retry', s.retry, 'max_attempts', s.max_attempts, 'why', s.why, 'flow', s.flow))
    from jsonb_array_elements(p_items) with ordinality i(given, n)), exists (select from flow_keys));
  v_items := array(select id from steps where run_id = p_run and position > v_last order by position);
  update steps set status = 'pending', rung_at = null where run_id = p_run and id = any (v_items);
  perform record_attempt(s, 'expanded', null, null);
  update steps
  set status = 'pending', depends_on = depends_on || v_items, deadline = null, worker = null, rung_at = null,
      control = control || jsonb_build_object('items', jsonb_array_length(p_items))
  where run_id = p_run and id = p_step;
  r.last_seq := v_seq + 1;
  return as_finished(p_run, rework_steps(r, jsonb_build_array(record_event(
    p_run, r.tenant, r.last_seq, 'step.expanded', p_step, jsonb_build_object('items', v_items))), 1));
end $$;
