-- Deleting ended runs by age and state. Served by ix_runs_ended.

create or replace function is_kept(p_run uuid) returns boolean language sql stable as $$
  select exists (select from dead_letters where run_id = p_run and resolved_at is null)
    or exists (select from delegations d join runs o on o.id = d.parent_id -- its parent may still look at it
               where d.child_id = p_run and o.phase is not null)
$$;

create or replace function count_ended_runs(p_tenant text, p_states text[], p_age double precision, p_limit int)
returns jsonb language sql stable as $$
  with old as (
    select id, is_kept(id) as kept from runs
    where tenant = p_tenant and phase is null and status = any (p_states)
      and finished_at < clock_timestamp() - make_interval(secs => p_age)
  ), chosen as (
    select id from old where not kept limit p_limit
  )
  select jsonb_build_object(
    'runs', (select count(*) from chosen), 'kept', (select count(*) from old where kept),
    'steps', (select count(*) from steps s join chosen c on s.run_id = c.id),
    'events', (select count(*) from events e join chosen c on e.run_id = c.id),
    'attempts', (select count(*) from attempts a join chosen c on a.run_id = c.id),
    'more', (select count(*) from old where not kept) > p_limit)
$$;

-- Steps, plans, dead letters and messages go with their run by their foreign keys.
create or replace function delete_ended_runs(p_tenant text, p_states text[], p_age double precision, p_limit int)
returns jsonb language plpgsql as $$
declare
  v_runs uuid[];
  v_steps int;
  v_events int;
  v_attempts int;
begin
  v_runs := array(
    select id from runs
    where tenant = p_tenant and phase is null and status = any (p_states)
      and finished_at < clock_timestamp() - make_interval(secs => p_age) and not is_kept(id)
    order by finished_at limit p_limit for update skip locked);
  delete from events where run_id = any (v_runs);
  get diagnostics v_events = row_count;
  delete from attempts where run_id = any (v_runs);
  get diagnostics v_attempts = row_count;
  delete from steps where run_id = any (v_runs);
  get diagnostics v_steps = row_count;
  delete from idempotency_keys where tenant = p_tenant and created_at < clock_timestamp() - make_interval(secs => p_age)
    and response ->> 'workflowId' = any (v_runs::text[]);
  delete from blob_uses where run_id = any (v_runs);
  delete from budgets where tenant = p_tenant and account = any (select 'run:' || id from unnest(v_runs) id);
  delete from runs where id = any (v_runs);
  return jsonb_build_object('runs', cardinality(v_runs), 'steps', v_steps, 'events', v_events, 'attempts', v_attempts);
end $$;
