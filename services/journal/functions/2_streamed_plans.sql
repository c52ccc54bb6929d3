-- A plan that is still being written: its steps are taken as they come and may run at once. Until the plan is complete
-- the run stays in its planning phase, so nothing can settle it; a planner that dies leaves what was taken, and the next
-- one goes on from there.

-- Take more steps (rows as for write_plan; they come after those that are there). Returns {events, ready}: the ids of
-- the steps that the caller is to ring.
create or replace function add_steps(p_run uuid, p_fence int, p_steps jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, 'plan');
  v_first int;
  v_events jsonb := '[]';
  v_step jsonb;
begin
  if r.id is null then
    return null;
  end if;
  select coalesce(max(position) + 1, 0) into v_first from steps where run_id = p_run;
  for v_step in
    select s || jsonb_build_object('position', v_first + n - 1)
    from jsonb_array_elements(p_steps) with ordinality as given(s, n)
    where not exists (select from steps where run_id = p_run and id = s ->> 'id') -- repeated: a reply was lost
  loop
    perform insert_steps(r, jsonb_build_array(v_step), exists (select from flow_keys));
    r.last_seq := r.last_seq + 1;
    v_events := v_events || record_event(p_run, r.tenant, r.last_seq, 'plan.step_added', v_step ->> 'id', told_step(v_step));
  end loop;
  update steps b set dependents = a.ids
  from (select d as id, array_agg(s.id order by s.position) as ids
        from steps s, unnest(s.depends_on) as d where s.run_id = p_run group by d) a
  where b.run_id = p_run and b.id = a.id and b.dependents <> a.ids;
  -- counted anew as after a person's change: what a new step waits for may have ended already, well or not
  update steps set status = 'pending' where run_id = p_run and status = 'ready' and rings = 0;
  return rework_steps(r, v_events, 1) - 'phase';
end $$;

-- A plan of which nothing was taken before.
create or replace function accept_plan(r runs, p_plan jsonb) returns jsonb language plpgsql as $$
declare
  v_events jsonb := jsonb_build_array(write_plan(r, p_plan));
  v_phase text := case jsonb_array_length(p_plan -> 'steps') when 0 then 'reflect' else 'execute' end;
begin
  if r.review and v_phase = 'execute' then
    v_events := v_events || hold_for_review(r.id);
  end if;
  return jsonb_build_object('events', v_events, 'ready', '[]'::jsonb, 'phase', v_phase);
end $$;

-- The rest of the plan, and what the records want to know of it; then it is execution's turn, or reflection's if all has
-- ended already. Returns {events, ready, phase}.
create or replace function complete_plan(p_run uuid, p_fence int, p_plan jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, 'plan');
  v_added jsonb;
  v_phase text;
  v_note text;
begin
  if r.id is null then
    return null;
  elsif not exists (select from steps where run_id = p_run) then
    return accept_plan(r, p_plan);
  end if;
  v_added := add_steps(p_run, p_fence, p_plan -> 'steps');
  select * into r from runs where id = p_run;
  v_phase := case r.open_steps when 0 then 'reflect' else 'execute' end;
  v_note := nullif(concat_ws(E'\n', (select note from plans where run_id = p_run and revision = r.plan_revision),
                             p_plan ->> 'note'), ''); -- what an earlier revision declined is still so
  insert into plans (run_id, revision, tenant, source, note, prompt_version, usage, tools)
  values (p_run, r.plan_revision + 1, r.tenant, p_plan ->> 'source', v_note, p_plan ->> 'prompt_version',
          coalesce(nullif(p_plan -> 'usage', 'null'), '{}'), tool_versions(p_run));
  update runs
  set plan_revision = r.plan_revision + 1, last_seq = r.last_seq + 1, brain = p_plan ->> 'brain', phase = v_phase,
      usage = runs.usage || jsonb_build_object('plan', usage_sum(runs.usage -> 'plan', p_plan -> 'usage')),
      status = case when paused_at is not null then 'paused' when v_phase = 'execute' then 'executing' else 'reflecting' end,
      phase_worker = null, phase_failures = 0, rings = 1,
      rung_at = case v_phase when 'execute' then chordless() else clock_timestamp() end
  where id = p_run;
  return v_added || jsonb_build_object('phase', v_phase, 'events', v_added -> 'events' || record_event(
    p_run, r.tenant, r.last_seq + 1, 'plan.created', null, jsonb_build_object(
      'revision', r.plan_revision + 1, 'source', p_plan ->> 'source', 'note', v_note,
      'steps', (select jsonb_agg(told_step(to_jsonb(s)) order by s.position) from steps s
                where run_id = p_run and s.id !~ '\['))));
end $$;

-- Counts by name, added up.
create or replace function usage_sum(p_one jsonb, p_other jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(name, total), '{}') from (
    select key as name, sum(value::numeric) as total
    from (select * from jsonb_each_text(nullif(p_one, 'null')) union all select * from jsonb_each_text(nullif(p_other, 'null'))) e
    group by key) added
$$;

-- The critic wants more than the plan has brought: it is planning's turn again. What has ended stays as it is.
create or replace function revise_run(p_run uuid, p_fence int, p_events jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, 'reflect');
begin
  if r.id is null then
    return null;
  end if;
  p_events := append_phase_events(p_run, p_fence, p_events);
  update runs
  set phase = 'plan', status = 'planning', phase_worker = null, phase_failures = 0, rung_at = clock_timestamp(), rings = 1
  where id = p_run;
  return p_events;
end $$;

-- Its reply was lost: if it was committed the run is past its planning, and what there is to ring is rung by the sweeper.
create or replace function complete_plan_again(p_run uuid, p_fence int, p_plan jsonb) returns jsonb language plpgsql as $$
declare
  v_done jsonb := complete_plan(p_run, p_fence, p_plan);
begin
  return coalesce(v_done, (select '{"events": [], "ready": []}'::jsonb || jsonb_build_object('phase', phase) from runs
                           where id = p_run and phase_attempt = p_fence and phase in ('execute', 'reflect')));
end $$;
