-- Messages between the runs of a tree, on signals (9_signals.sql).

create or replace function addressed(p_run uuid, p_to text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(r.id order by r.created_at, r.id), '[]') from runs r
  where r.id in (select family_of(p_run)) and r.id <> p_run and r.phase is not null
    and case p_to when 'parent' then r.id = (select parent_id from delegations where child_id = p_run)
                  else r.agent = p_to or r.id::text = p_to end
$$;

create or replace function told_by(p_run uuid, p_message jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('from', id, 'agent', agent, 'message', p_message) from runs where id = p_run
$$;

-- The batch that this step reads: from the message that it was woken by, p_most at most. What was read is moved past in the
-- answer of its wait, so the run's next wait takes a later one; another attempt gets the same batch.
create or replace function take_messages(p_run uuid, p_step text, p_name text, p_most int) returns jsonb language plpgsql as $$
declare
  a approvals%rowtype;
  v_first bigint;
  v_last bigint;
begin
  perform signal_lock((select tenant from runs where id = p_run), p_name);
  perform from runs where id = p_run for update;
  select * into a from approvals
  where run_id = p_run and step_id = p_step and kind = 'signal' and arguments ->> 'event' = p_name and status = 'answered'
  order by decided_at desc limit 1;
  v_first := coalesce(a.decision ->> 'first', a.decision ->> 'signal')::bigint;
  v_last := (a.decision ->> 'signal')::bigint;
  if not a.decision ? 'first' then
    select max(id) into v_last from (
      select id from signals where run_id = p_run and name = p_name and id >= v_first order by id limit p_most) batch;
    update approvals set decision = decision || jsonb_build_object('first', v_first, 'signal', v_last) where id = a.id;
  end if;
  return (select coalesce(jsonb_agg(data || jsonb_build_object('at', wire_time(at)) order by id), '[]') from signals
          where run_id = p_run and name = p_name and id between v_first and v_last);
end $$;
