-- Asking people (or another system) and their decisions. A step that asks waits like any other, due when its question
-- expires; a decision makes it ready before. Lock order: the run's row, then its steps and approvals.

-- "This step waits for a person", in one commit with all that finishing it so means.
-- p_asks: {kind, hash, tool, arguments, reason, question}. A call that was asked for and is open keeps its approval.
create or replace function ask_person(p_run uuid, p_step text, p_attempt int, p_worker text, p_input jsonb,
                                      p_delay double precision, p_room int, p_instant text[], p_held text[],
                                      p_asks jsonb)
returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_waited boolean;
  v_found jsonb;
begin
  select * into r from runs where id = p_run for update;
  select waited into v_waited from steps where run_id = p_run and id = p_step;
  if r.cancel_requested then
    return finish_step(p_run, p_step, p_attempt, p_worker, 'cancelled', p_input,
                       '{"detail": "The run was cancelled."}', null, p_room, p_instant, p_held);
  end if;
  v_found := finish_step(p_run, p_step, p_attempt, p_worker, 'waiting', p_input, null, p_delay, p_room,
                         p_instant, p_held);
  if (v_found -> 'fenced')::boolean then
    return v_found;
  end if;
  update steps set waited = v_waited where run_id = p_run and id = p_step; -- that is about the tool's own waits
  return jsonb_set(v_found, '{events}', (v_found -> 'events') || open_approval(p_run, p_step, p_attempt, p_asks));
end $$;

-- The first call may have been committed and only its reply lost.
create or replace function ask_person_again(p_run uuid, p_step text, p_attempt int, p_worker text, p_input jsonb,
                                            p_delay double precision, p_room int, p_instant text[], p_held text[],
                                      p_asks jsonb)
returns jsonb language plpgsql as $$
begin
  perform from runs where id = p_run for update;
  if exists (select from attempts where run_id = p_run and step_id = p_step and attempt = p_attempt
               and outcome in ('waiting', 'cancelled') and worker = p_worker) then
    return finish_step_again(p_run, p_step, p_attempt, p_worker, (
        select outcome from attempts where run_id = p_run and step_id = p_step and attempt = p_attempt
          and outcome in ('waiting', 'cancelled')),
      p_input, null, p_delay, p_room, p_instant, p_held);
  end if;
  return ask_person(p_run, p_step, p_attempt, p_worker, p_input, p_delay, p_room, p_instant, p_held, p_asks);
end $$;

-- Write or renew what is asked; returns the events. What was answered before it was asked (a callback that was quick)
-- stays answered, and the step is due at once.
create or replace function open_approval(p_run uuid, p_step text, p_attempt int, p_asks jsonb) returns jsonb
language plpgsql as $$
declare
  s steps%rowtype;
  a approvals%rowtype;
  v_seq int;
  v_event jsonb;
begin
  select * into s from steps where run_id = p_run and id = p_step;
  insert into approvals (tenant, run_id, step_id, attempt, kind, hash, tool, arguments, reason, question, expires_at)
  values (s.tenant, p_run, p_step, p_attempt, p_asks ->> 'kind', p_asks ->> 'hash', s.tool, p_asks -> 'arguments',
          p_asks ->> 'reason', nullif(p_asks -> 'question', 'null'), s.due_at)
  on conflict (run_id, step_id, hash) do update
  set attempt = p_attempt,
      status = case approvals.status when 'answered' then 'answered' else 'open' end,
      requested_at = case approvals.status when 'open' then approvals.requested_at else clock_timestamp() end,
      expires_at = case when approvals.status = 'open' then approvals.expires_at else s.due_at end,
      decided_at = case approvals.status when 'answered' then approvals.decided_at end,
      decided_by = case approvals.status when 'answered' then approvals.decided_by end,
      decision = case approvals.status when 'answered' then approvals.decision end
  returning * into a;
  update steps set due_at = case a.status when 'answered' then clock_timestamp() else a.expires_at end
  where run_id = p_run and id = p_step;
  if a.kind in ('callback', 'signal') then
    return '[]';
  end if;
  update runs set last_seq = last_seq + 1 where id = p_run returning last_seq into v_seq;
  v_event := record_event(p_run, s.tenant, v_seq, 'approval.requested', p_step, jsonb_strip_nulls(
    jsonb_build_object('id', a.id, 'kind', a.kind, 'tool', a.tool, 'arguments', a.arguments, 'reason', a.reason,
                       'question', a.question, 'expiresAt', wire_time(a.expires_at))));
  perform tell_of(e) from events e where run_id = p_run and seq = v_seq;
  return jsonb_build_array(v_event);
end $$;

create or replace function permission_facts(p_run uuid) returns jsonb language sql stable as $$
  select jsonb_build_object('agent', r.agent, 'tools', (
    select coalesce(jsonb_agg(distinct tool), '[]') from steps
    where run_id in (select family_of(p_run)) and status = 'succeeded'))
  from runs r where r.id = p_run
$$;

-- Does a text stand in the request, in the arguments that the first plan gave this step, or in an output of these tools?
-- What a parent asked of its child may have come from outside: it counts only where the parent could have said it.
create or replace function was_spelled_out(p_run uuid, p_step text, p_text text, p_tools text[]) returns boolean
language plpgsql stable as $$
declare
  d delegations%rowtype;
begin
  select * into d from delegations
  where child_id = p_run or child_id = (select forked_from from runs where id = p_run) limit 1;
  if d.child_id is null and (
      exists (select from runs where id = p_run and strpos(request, p_text) > 0)
      or exists (select from steps where run_id = p_run and id = p_step and plan_revision = 1
                   and strpos(arguments::text, p_text) > 0)) then
    return true;
  end if;
  return exists (select from steps where run_id = p_run and status = 'succeeded'
                   and tool = any (p_tools) and strpos(whole(tenant, output)::text, p_text) > 0)
    or d.child_id is not null and was_spelled_out(d.parent_id, d.step_id, p_text, p_tools);
end $$;

-- What was decided; null when nobody was asked, or when the step has failed of this decision and a person has it run
-- again since. An approval that holds goes on holding for later attempts at the same effect.
create or replace function decision_on(p_run uuid, p_step text, p_hash text) returns jsonb language plpgsql as $$
declare
  a approvals%rowtype;
begin
  update approvals set status = 'expired', decided_at = clock_timestamp()
  where run_id = p_run and step_id = p_step and hash = p_hash and status = 'open' and expires_at <= clock_timestamp();
  select * into a from approvals where run_id = p_run and step_id = p_step and hash = p_hash;
  if not found or (a.status in ('rejected', 'expired') and exists (
      select from attempts t where t.run_id = p_run and t.step_id = p_step and t.attempt > a.attempt
        and t.outcome = 'failed')) then
    return null;
  end if;
  return jsonb_build_object('status', a.status, 'by', a.decided_by, 'details', a.decision);
end $$;

-- Decide once. p_verb: approved, rejected, answered.
create or replace function decide_approval(p_tenant text, p_id uuid, p_verb text, p_details jsonb, p_by text)
returns jsonb language plpgsql as $$
declare
  a approvals%rowtype;
  r runs%rowtype;
  v_event jsonb;
begin
  select * into a from approvals where id = p_id and tenant = p_tenant;
  if not found then
    return null;
  end if;
  select * into r from runs where id = a.run_id for update;
  select * into a from approvals where id = p_id;
  if a.status = 'expired' or (a.status = 'open' and a.expires_at <= clock_timestamp()) then
    return '{"expired": true}';
  elsif a.status <> 'open' then
    return refused(format('This was decided already: %s by %s.', a.status, a.decided_by));
  end if;
  perform from steps where run_id = a.run_id and id = a.step_id and status = 'waiting' and attempt = a.attempt;
  if not found or r.phase is distinct from 'execute' or r.cancel_requested then
    return refused(format('Step %s no longer waits for this.', a.step_id));
  end if;
  update approvals
  set status = p_verb, decision = p_details, decided_by = p_by, decided_at = clock_timestamp() where id = p_id;
  update steps set status = 'pending', due_at = null where run_id = a.run_id and id = a.step_id;
  r.last_seq := r.last_seq + 1;
  v_event := record_event(r.id, r.tenant, r.last_seq, 'approval.decided', a.step_id,
    jsonb_build_object('id', p_id, 'decision', p_verb, 'by', p_by) || p_details);
  perform tell_of(e) from events e where run_id = r.id and seq = r.last_seq;
  return rework_steps(r, jsonb_build_array(v_event), 1);
end $$;

-- Another system posts the result of work that it accepted. It may come before the step sleeps: then it is kept for the
-- moment when it does.
create or replace function deliver_callback(p_run uuid, p_step text, p_hash text, p_details jsonb) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
  s steps%rowtype;
  a approvals%rowtype;
begin
  select * into r from runs where id = p_run for update;
  select * into s from steps where run_id = p_run and id = p_step;
  if s.id is null then
    return null;
  end if;
  select * into a from approvals where run_id = p_run and step_id = p_step and hash = p_hash;
  if a.status = 'answered' then
    return jsonb_build_object('events', jsonb_build_array()); -- posted twice
  elsif r.phase is null or r.phase not in ('plan', 'execute') or r.cancel_requested or a.status = 'expired'
     or s.status not in ('running', 'waiting', 'ready', 'pending') then
    return refused(format('Step %s no longer waits for this.', p_step));
  end if;
  insert into approvals (tenant, run_id, step_id, attempt, kind, hash, tool, arguments, status, expires_at, decided_at,
                         decided_by, decision)
  values (r.tenant, p_run, p_step, s.attempt, 'callback', p_hash, s.tool, '{}', 'answered', clock_timestamp(),
          clock_timestamp(), 'callback', p_details)
  on conflict (run_id, step_id, hash) do update
  set status = 'answered', decision = p_details, decided_at = clock_timestamp(), decided_by = 'callback';
  if a.id is null or s.status <> 'waiting' or s.attempt <> a.attempt then
    return jsonb_build_object('events', jsonb_build_array());
  end if;
  update steps set status = 'pending', due_at = null where run_id = p_run and id = p_step;
  return rework_steps(r, '[]', 1);
end $$;

-- The rules of all tenants, each tenant's in the order in which they are looked at.
create or replace function policy_rules() returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(to_jsonb(p) order by position, created_at), '[]') from policies p
$$;
