-- Plans that a person looks at before anything of them runs. Such a run is paused in the commit that gives it its plan;
-- resuming it lets the plan go, and until then the plan may be replaced. The caller holds the run's lock.

create or replace function awaits_review(r runs) returns boolean language sql immutable as $$
  select r.review and r.phase = 'execute' and r.paused_at is not null and not r.cancel_requested
$$;

create or replace function hold_for_review(p_run uuid) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_event jsonb;
begin
  select * into r from runs where id = p_run;
  v_event := record_event(p_run, r.tenant, r.last_seq + 1, 'plan.review_requested', null,
                          jsonb_build_object('revision', r.plan_revision));
  update runs set last_seq = r.last_seq + 1 where id = p_run;
  update steps set status = 'pending', rung_at = null where run_id = p_run and status = 'ready';
  return v_event || (pause_run(p_run, r.tenant) -> 'events');
end $$;

-- Another plan in the place of the one that is looked at, as its next revision. p_revision: the one that was looked at.
create or replace function replace_plan(p_run uuid, p_tenant text, p_revision int, p_plan jsonb) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
  v_event jsonb;
begin
  select * into r from runs where id = p_run and tenant = p_tenant for update;
  if not found then
    return null;
  elsif not awaits_review(r) then
    return refused(format('The run is %s: its plan is not held for a look.', r.status));
  elsif r.plan_revision <> p_revision then
    return refused(format('The plan is at revision %s by now; look at it again.', r.plan_revision));
  elsif exists (select from attempts where run_id = p_run) then
    return refused('A step of the plan has a result already; change the others one by one.');
  end if;
  delete from steps where run_id = p_run;
  v_event := write_plan(r, p_plan || (select jsonb_build_object('brain', r.brain, 'source', source) from plans
                                      where run_id = p_run and revision = r.plan_revision));
  update steps set status = 'pending', rung_at = null where run_id = p_run and status = 'ready';
  return jsonb_build_object('events', jsonb_build_array(v_event));
end $$;
