-- Teams: a step starts runs of its own (its children) and waits for them as a row. They are created in the commit that
-- puts the step to wait, and the commit that ends a child wakes it. Lock order: a child, then its parent. What flows down
-- (cancel, pause) is therefore a commit of its own for every child, found by children_to_move.

-- What a tree of runs has cost below and with this run.
create or replace function family_cost(p_run uuid) returns numeric language sql stable as $$
  with recursive family(id) as (
    select p_run union select d.child_id from family f join delegations d on d.parent_id = f.id
  )
  select coalesce(sum(m.cost), 0) from model_calls m join family f on m.run_id = f.id
$$;

-- A child as its parent is told of it. outputs: of the last steps, of a run that was given a plan alone.
create or replace function told_child(d delegations, c runs) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'place', d.place, 'agent', c.agent, 'workflowId', c.id, 'status', c.status, 'answer', c.answer,
    'error', c.error ->> 'detail', 'cost', family_cost(c.id),
    'outputs', case when c.request is null then (
      select coalesce(jsonb_object_agg(s.id, whole(s.tenant, s.output)), '{}') from steps s
      where s.run_id = c.id and s.status = 'succeeded' and s.dependents = '{}') end)
$$;

-- The newest try at each place.
create or replace function team_results(p_team text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(told order by place), '[]') from (
    select distinct on (d.place) d.place, told_child(d, c) as told
    from delegations d join runs c on c.id = d.child_id where d.team = p_team order by d.place, d.number desc) newest
$$;

create or replace function look_at_team(p_run uuid, p_step text, p_team text) returns jsonb language sql stable as $$
  with again as ( -- a person had the step run anew after it had failed
    select max(finished_at) as at from attempts where run_id = p_run and step_id = p_step and outcome = 'failed'
  ), children as (
    select d.child_id as id, d.place, d.number, c.phase is not null as live, d.created_at,
           c.status is distinct from 'succeeded'
             and (d.parent_id <> p_run or d.ended_at is not null and d.ended_at <= coalesce(again.at, '-infinity')) as spent,
           told_child(d, c) as result
    from delegations d join runs c on c.id = d.child_id, again where d.team = p_team
  )
  select jsonb_build_object(
    'children', coalesce(jsonb_agg(to_jsonb(children) - 'created_at' order by place, number), '[]'),
    'age', coalesce(extract(epoch from clock_timestamp() - min(created_at) filter (where not spent)), 0),
    'depth', coalesce((select depth from delegations where child_id = p_run), 0),
    'tree', (select count(*) from delegations where root_id = coalesce(
      (select root_id from delegations where child_id = p_run), p_run)))
  from children
$$;

-- Is there something for the step to decide? need: how many good ends decide it. picky: each good end has to be judged.
create or replace function team_moved(p_run uuid, p_control jsonb) returns boolean language sql stable as $$
  select coalesce(
    bool_or(c.phase is null and c.status <> 'succeeded') or bool_and(c.phase is null)
    or count(*) filter (where c.phase is null) >= case when (p_control ->> 'picky')::boolean then 1 else (p_control ->> 'need')::int end,
    false)
  from (
    select distinct on (d.place) d.child_id from delegations d
    where d.team = p_control ->> 'key' and (d.parent_id = p_run or d.ended_at is not null) order by d.place, d.number desc
  ) newest join runs c on c.id = newest.child_id
$$;

-- "This step waits for children": as finish_step, with those that are to be started. p_asks: {team: {key, need, picky,
-- single}, seen (how many had ended when it looked), seconds, detached, children: [{id, place, number, and what
-- create_run takes}]}. The reply says in `started` which runs the caller is to ring, each with whether it brought a plan.
create or replace function delegate_step(p_run uuid, p_step text, p_attempt int, p_worker text, p_input jsonb,
                                         p_delay double precision, p_room int, p_instant text[], p_held text[],
                                         p_asks jsonb)
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_found jsonb;
  v_child jsonb;
  v_started jsonb := '[]';
  v_events jsonb;
begin
  v_found := finish_step(p_run, p_step, p_attempt, p_worker, 'waiting', p_input, null, p_delay, p_room, p_instant, p_held);
  if not exists (select from steps where run_id = p_run and id = p_step and status = 'waiting' and attempt = p_attempt) then
    return v_found; -- fenced off, or cancelled meanwhile
  end if;
  select * into r from runs where id = p_run;
  v_events := v_found -> 'events';
  for v_child in
    select * from jsonb_array_elements(p_asks -> 'children') c
    where not exists (select from delegations where child_id = (c ->> 'id')::uuid)
  loop
    r.last_seq := r.last_seq + 1;
    v_events := v_events || start_child(r, p_step, v_child, p_asks);
    v_started := v_started || jsonb_build_array(jsonb_build_array(v_child -> 'id', v_child -> 'plan' <> 'null'));
  end loop;
  update runs set last_seq = r.last_seq where id = p_run;
  update steps set control = coalesce(control, '{}') || jsonb_build_object('team', p_asks -> 'team')
  where run_id = p_run and id = p_step;
  if (p_asks -> 'detached')::boolean or (
      (select count(*) from delegations where team = p_asks #>> '{team,key}' and ended_at is not null) > (p_asks ->> 'seen')::int
      and team_moved(p_run, p_asks -> 'team')) then
    update steps set status = case when r.paused_at is null then 'ready' else 'pending' end, due_at = null,
      ready_at = clock_timestamp(), rung_at = case when r.paused_at is null then clock_timestamp() end, rings = 1
    where run_id = p_run and id = p_step and status = 'waiting';
    v_found := jsonb_set(v_found, '{ready}', v_found -> 'ready' || (
      select coalesce(jsonb_agg(jsonb_build_array(id, tool)), '[]') from steps
      where run_id = p_run and id = p_step and status = 'ready'));
  end if;
  return v_found || jsonb_build_object('events', v_events, 'started', v_started);
end $$;

-- The child, within its parent's budgets and deadline. Returns the parent's event; r.last_seq is its number.
create or replace function start_child(r runs, p_step text, p_child jsonb, p_asks jsonb) returns jsonb language plpgsql as $$
declare
  v_detached boolean := (p_asks -> 'detached')::boolean;
  o delegations%rowtype;
begin
  select * into o from delegations where child_id = r.id;
  perform create_run(p_child || jsonb_build_object(
    'tenant', r.tenant, 'user_id', r.user_id, 'conversation_id', p_child ->> 'id', 'priority', r.priority,
    'accounts', to_jsonb(r.accounts), 'parent', jsonb_build_object('workflowId', r.id, 'stepId', p_step),
    'deadline', case when not v_detached then least(r.deadline, case when p_asks ->> 'seconds' is not null
      then clock_timestamp() + make_interval(secs => (p_asks ->> 'seconds')::double precision) end) end));
  insert into delegations (child_id, tenant, root_id, parent_id, step_id, team, place, number, depth, detached)
  values ((p_child ->> 'id')::uuid, r.tenant, coalesce(o.root_id, r.id), r.id, p_step, p_asks #>> '{team,key}',
          (p_child ->> 'place')::int, (p_child ->> 'number')::int, coalesce(o.depth, 0) + 1, v_detached);
  return record_event(r.id, r.tenant, r.last_seq, 'child.started', p_step, jsonb_build_object(
    'child', p_child -> 'id', 'place', p_child -> 'place', 'number', p_child -> 'number', 'agent', p_child -> 'agent'));
end $$;

-- If the first call was committed, the sweeper rings whatever it made ready, and the children.
create or replace function delegate_step_again(p_run uuid, p_step text, p_attempt int, p_worker text, p_input jsonb,
                                               p_delay double precision, p_room int, p_instant text[], p_held text[],
                                               p_asks jsonb)
returns jsonb language plpgsql as $$
begin
  perform from runs where id = p_run for update;
  if exists (select from attempts where run_id = p_run and step_id = p_step and attempt = p_attempt
               and outcome in ('waiting', 'cancelled') and worker = p_worker) then
    return '{"fenced": false, "rings": false, "events": [], "claims": [], "ready": []}';
  end if;
  return delegate_step(p_run, p_step, p_attempt, p_worker, p_input, p_delay, p_room, p_instant, p_held, p_asks);
end $$;

-- A child has ended (the caller holds its lock): its parent is told, and the step is woken if that may decide something.
-- Returns the parent's events. The step is ready and was not rung: whoever ended the child rings it, or the next sweep.
create or replace function child_ended(r runs) returns jsonb language plpgsql as $$
declare
  d delegations%rowtype;
  o runs%rowtype;
begin
  update delegations set ended_at = clock_timestamp() where child_id = r.id and ended_at is null returning * into d;
  if d.child_id is null then
    return '[]';
  end if;
  select * into o from runs where id = d.parent_id for update;
  if o.phase is null then
    return '[]'; -- its history is closed
  end if;
  update steps
  set status = case when o.paused_at is null then 'ready' else 'pending' end, due_at = null, unmet = 0,
      ready_at = clock_timestamp(), rung_at = null, rings = 0
  where run_id = o.id and id = d.step_id and status = 'waiting' and control #>> '{team,key}' = d.team
    and team_moved(o.id, control -> 'team');
  update runs set last_seq = o.last_seq + 1 where id = o.id;
  return jsonb_build_array(record_event(o.id, o.tenant, o.last_seq + 1, 'child.ended', d.step_id, jsonb_strip_nulls(
    jsonb_build_object('child', r.id, 'place', d.place, 'number', d.number, 'agent', r.agent, 'status', r.status,
                       'error', r.error ->> 'detail', 'cost', family_cost(r.id)))));
end $$;

-- The output of a delegating step whose run is cut by its deadline: what its team has brought so far.
create or replace function cut_team(s steps) returns jsonb language plpgsql stable as $$
declare
  v_results jsonb := team_results(s.control #>> '{team,key}');
  v_text text := (select string_agg(e ->> 'answer', E'\n\n') from jsonb_array_elements(v_results) e
                  where e ->> 'status' = 'succeeded');
begin
  return case when (s.control #> '{team,single}')::boolean then v_results -> 0 else jsonb_build_object('results', v_results) end
    || jsonb_build_object('cut', true, 'text', coalesce(v_text, 'Nobody was done in time.'));
end $$;

-- What has to follow its parent: cancel (nobody waits for it any more), pause, resume; as [verb, tenant, child].
create or replace function children_to_move(p_limit int) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_array(verb, tenant, child_id)), '[]') from (
    select d.tenant, d.child_id, case
      when o.phase is null or o.cancel_requested or s.id is null
        or s.status not in ('pending', 'ready', 'running', 'waiting')
        or s.status = 'waiting' and s.control #>> '{team,key}' <> d.team then 'cancel'
      when o.paused_at is not null and c.paused_at is null then 'pause'
      when o.paused_at is null and c.paused_at is not null and d.held then 'resume' end as verb
    from delegations d join runs c on c.id = d.child_id
      left join runs o on o.id = d.parent_id left join steps s on s.run_id = d.parent_id and s.id = d.step_id
    where d.ended_at is null and not d.detached and c.phase in ('plan', 'execute', 'reflect') and not c.cancel_requested
  ) moves
  where verb is not null limit p_limit
$$;

-- Pause a child because its parent is, or let it go on again. Returns what pause_run and resume_run do.
create or replace function hold_child(p_child uuid, p_tenant text, p_held boolean) returns jsonb language plpgsql as $$
begin
  perform from runs where id = p_child for update;
  update delegations set held = p_held where child_id = p_child;
  return case when p_held then pause_run(p_child, p_tenant) else resume_run(p_child, p_tenant) end;
end $$;

-- A run and all below it, parents first.
create or replace function run_tree(p_run uuid) returns jsonb language sql stable as $$
  with recursive family(id, parent, step, team_place, number, depth, detached, path) as (
    select p_run, null::uuid, null::text, null::int, null::int, 0, false, array[0::numeric]
    union all
    select d.child_id, d.parent_id, d.step_id, d.place, d.number, f.depth + 1, d.detached,
           f.path || extract(epoch from d.created_at) || d.place::numeric || d.number::numeric
    from family f join delegations d on d.parent_id = f.id
  )
  select jsonb_agg(jsonb_build_object(
    'workflowId', r.id, 'parent', f.parent, 'stepId', f.step, 'place', f.team_place, 'number', f.number,
    'depth', f.depth, 'detached', f.detached, 'agent', r.agent, 'request', r.request, 'status', r.status,
    'error', r.error ->> 'detail', 'createdAt', wire_time(r.created_at), 'finishedAt', wire_time(r.finished_at),
    'own', own.spent) order by f.path)
  from family f join runs r on r.id = f.id cross join lateral (
    select jsonb_build_object('calls', count(*), 'tokens', coalesce(sum(input_tokens + output_tokens), 0),
                              'cost', coalesce(sum(cost), 0)) as spent
    from model_calls m where m.run_id = r.id) own
$$;

-- All runs of the tree that this one belongs to. What has come into one of them from outside may be in all.
create or replace function family_of(p_run uuid) returns setof uuid language sql stable as $$
  with top as (select coalesce((select root_id from delegations where child_id = p_run), p_run) as id)
  select id from top union select d.child_id from delegations d join top on d.root_id = top.id
$$;
