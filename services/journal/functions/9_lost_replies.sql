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

-- If the first call was committed, what it returned but for the events. A refused one is refused again.
create or replace function complete_steps_again(p_run uuid, p_worker text, p_done jsonb, p_seen int, p_room int,
                                                p_instant text[], p_held text[])
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  if committed(p_run, p_done -> 0 ->> 'id', (p_done -> 0 ->> 'attempt')::int, 'succeeded', p_worker) then
    return given_before(r, p_worker, array(select g ->> 'id' from jsonb_array_elements(p_done) g), p_instant, p_held, (
      select finished_at + make_interval(secs => (p_done -> 0 ->> 'ended')::double precision) from steps
      where run_id = p_run and id = p_done -> 0 ->> 'id'));
  end if;
  return complete_steps(p_run, p_worker, p_done, p_seen, p_room, p_instant, p_held);
end $$;

create or replace function finish_step_again(p_run uuid, p_step text, p_attempt int, p_worker text, p_outcome text,
                                             p_input jsonb, p_error jsonb, p_delay double precision, p_room int,
                                             p_instant text[], p_held text[])
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
begin
  select * into r from runs where id = p_run for update;
  if committed(p_run, p_step, p_attempt, p_outcome, p_worker) then
    return given_before(r, p_worker, array[p_step], p_instant, p_held, (
      select coalesce(finished_at, due_at - make_interval(secs => p_delay)) from steps
      where run_id = p_run and id = p_step));
  end if;
  return finish_step(p_run, p_step, p_attempt, p_worker, p_outcome, p_input, p_error, p_delay, p_room, p_instant, p_held);
end $$;

create or replace function committed(p_run uuid, p_step text, p_attempt int, p_outcome text, p_worker text)
returns boolean language sql stable as $$
  select exists (select from attempts where run_id = p_run and step_id = p_step and attempt = p_attempt
                   and outcome = p_outcome and worker = p_worker)
$$;

-- What a call that was committed at that time gave its worker; everything of it bears that time.
create or replace function given_before(r runs, p_worker text, p_ended text[], p_instant text[], p_held text[],
                                        p_at timestamptz)
returns jsonb language plpgsql stable as $$
declare
  v_ready jsonb := (
    select coalesce(jsonb_agg(jsonb_build_array(n.id, n.tool)), '[]') from steps n
    where n.run_id = r.id and n.status = 'ready' and n.rung_at = p_at
      and n.depends_on && p_ended);
  v_claims jsonb := (
    select coalesce(jsonb_agg(step_claim(r, n) order by position), '[]') from steps n
    where n.run_id = r.id and n.status = 'running' and n.worker = p_worker and n.started_at = p_at);
begin
  return jsonb_build_object('fenced', false, 'rings', r.phase = 'execute' and r.open_steps = 0, 'events', '[]'::jsonb,
    'ready', v_ready, 'claims', claims_ahead(r, v_claims, v_ready, p_held, p_instant));
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
