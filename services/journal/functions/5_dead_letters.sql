-- Dead letters: what was given up, written in the commit of the final failure. The caller holds the run's lock.

create or replace function bury(r runs, p_step text, p_tool text, p_phase text, p_reason text, p_error jsonb)
returns void language sql as $$
  insert into dead_letters (tenant, run_id, step_id, phase, tool, reason, error, labels)
  select r.tenant, r.id, p_step, p_phase, p_tool, p_reason, p_error, r.labels
  where not coalesce(r.profile ? 'replay', false) -- a replay repeats what was looked at before
$$;

-- Somebody took care: the open letters of a run (of one step, if named) are resolved. Returns how many were.
create or replace function resolve_letters(p_run uuid, p_step text, p_resolution text, p_successor uuid) returns int
language plpgsql as $$
declare
  v_resolved int;
begin
  update dead_letters
  set resolved_at = clock_timestamp(), resolution = p_resolution, successor = p_successor
  where run_id = p_run and resolved_at is null and (p_step is null or step_id = p_step);
  get diagnostics v_resolved = row_count;
  return v_resolved;
end $$;

create or replace function discard_letter(p_id uuid, p_tenant text) returns boolean language plpgsql as $$
begin
  update dead_letters set resolved_at = clock_timestamp(), resolution = 'discarded'
  where id = p_id and tenant = p_tenant and resolved_at is null;
  return found;
end $$;
