-- What a worker calls instead of repeating a call whose connection broke before the reply came: the first call may have
-- been committed, and then what it claimed is this worker's without anybody in it knowing. Such a claim would be held
-- until the step's timeout, and that of a phase for ever. Each locks the run before it looks at anything: the first call
-- may be under way still, on a server that has not noticed that nobody listens.

-- Take the phase from myself. If another thread here had it by a doubled message, that one is fenced off.
create or replace function claim_phase_again(p_run uuid, p_phase text, p_worker text) returns jsonb
language plpgsql as $$
begin
  perform from runs where id = p_run for update;
  update runs set phase_worker = null where id = p_run and phase_worker = p_worker and phase = p_phase;
  return claim_phase(p_run, p_phase, p_worker);
end $$;

-- Give back what the first call claimed, as after a death (an unsafe step is in doubt then), and claim it anew.
create or replace function claim_step_again(p_run uuid, p_step text, p_worker text) returns jsonb
language plpgsql as $$
begin
  perform from runs where id = p_run for update;
  perform lose_step(run_id, id, attempt, 'handed_back', 'The connection to Postgres broke while a worker claimed it.')
  from steps where run_id = p_run and id = p_step and status = 'running' and worker = p_worker;
  return claim_step(p_run, p_step, p_worker);
end $$;

-- The same for the first steps of an execution. The sweeper rings what the first call had marked as rung.
create or replace function begin_execution_again(p_run uuid, p_worker text, p_room int, p_workers int, p_instant text[])
returns jsonb language plpgsql as $$
begin
  perform from runs where id = p_run for update;
  if not exists (select from attempts where run_id = p_run) then
    perform lose_step(run_id, id, attempt, 'handed_back', 'The connection to Postgres broke while a worker claimed it.')
    from steps where run_id = p_run and status = 'running' and worker = p_worker;
  end if;
  return begin_execution(p_run, p_worker, p_room, p_workers, p_instant);
end $$;

-- If the first call was committed, what it returned (but for the events): everything of it bears the same time.
create or replace function finish_step_again(p_run uuid, p_step text, p_attempt int, p_worker text, p_outcome text,
                                             p_input jsonb, p_output jsonb, p_error jsonb, p_delay double precision,
                                             p_room int, p_instant text[], p_held text[])
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  v_at timestamptz;
begin
  select * into r from runs where id = p_run for update;
  if not exists (select from attempts where run_id = p_run and step_id = p_step and attempt = p_attempt
                   and outcome = p_outcome and worker = p_worker) then
    return finish_step(p_run, p_step, p_attempt, p_worker, p_outcome, p_input, p_output, p_error, p_delay, p_room,
                       p_instant, p_held);
  end if;
  select * into s from steps where run_id = p_run and id = p_step;
  v_at := coalesce(s.finished_at, s.due_at - make_interval(secs => p_delay));
  return jsonb_build_object('fenced', false, 'rings', r.phase = 'execute' and r.open_steps = 0, 'events', '[]'::jsonb,
    'ready', (select coalesce(jsonb_agg(jsonb_build_array(id, tool)), '[]') from steps
              where run_id = p_run and id = any (s.dependents) and status = 'ready' and rung_at = v_at),
    'claims', (select coalesce(jsonb_agg(step_claim(r, n)), '[]') from steps n
               where run_id = p_run and status = 'running' and worker = p_worker and started_at = v_at));
end $$;

-- Nothing new if the newest event is the last of these already.
create or replace function append_phase_events_again(p_run uuid, p_fence int, p_events jsonb) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype := owned_run(p_run, p_fence, null);
begin
  if exists (select from events where run_id = p_run and seq = r.last_seq and name = p_events -> -1 ->> 'name'
               and data = p_events -> -1 -> 'data') then
    return jsonb_build_array();
  end if;
  return append_phase_events(p_run, p_fence, p_events);
end $$;
