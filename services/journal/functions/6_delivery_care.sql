-- What the sweeper and people do about messages.

-- Open what a flow key has room for again. Returns how many messages are due now (at most p_limit), so that as many
-- bells are rung.
create or replace function sweep_messages(p_limit int) returns jsonb language plpgsql set enable_seqscan = off as $$
declare
  k flow_keys%rowtype;
  v_name text;
  v_room int;
  v_now timestamptz := clock_timestamp();
begin
  for v_name in select distinct flow from delivery_messages where status = 'throttled' loop
    select * into k from flow_keys where name = v_name for update;
    v_room := case when found then flow_room(k, null, null) else p_limit end;
    update delivery_messages set status = 'waiting'
    where id in (select id from delivery_messages where status = 'throttled' and flow = v_name
                 order by due_at limit v_room for update skip locked);
  end loop;
  return to_jsonb((select count(*) from (
    select from delivery_messages d
    where status = 'waiting' and due_at <= v_now and (queue is null or not exists (
      select from delivery_queues q where q.tenant = d.tenant and q.name = d.queue and q.paused))
    limit p_limit) as due));
end $$;

-- The steps that wait for messages which have all ended, as [{effect, run, step, hash}], of one effect or of any.
create or replace function ended_effects(p_effect text, p_limit int) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(found), '[]') from (
    select jsonb_build_object('effect', effect, 'run', min(run_id::text), 'step', min(step_id), 'hash', max(wait_hash)) as found
    from delivery_messages m
    where effect is not null and not told and (p_effect is null or effect = p_effect)
    group by effect having bool_and(status in ('delivered', 'dead', 'cancelled', 'discarded'))
    limit p_limit) as ended
$$;

create or replace function effect_told(p_effect text) returns void language sql as $$
  update delivery_messages set told = true
  where effect = p_effect and not told and status in ('delivered', 'dead', 'cancelled', 'discarded')
$$;

-- p_verb: cancel, discard, redrive (all attempts anew) or hasten (the next attempt now). p_hash: what a step waits for.
-- Null: no such message; false: not in a state that allows it.
create or replace function change_message(p_id uuid, p_tenant text, p_verb text, p_hash text) returns boolean
language plpgsql as $$
declare
  m delivery_messages%rowtype;
begin
  select * into m from delivery_messages where id = p_id and tenant = p_tenant;
  if not found then
    return null;
  end if;
  perform from delivery_queues where tenant = m.tenant and name = m.queue for update;
  select * into m from delivery_messages where id = p_id for update;
  if p_verb = 'cancel' and m.status in ('queued', 'throttled', 'waiting', 'delivering') then
    perform end_message(m, 'cancelled', '{"reason": "cancelled", "detail": "A person cancelled it."}');
  elsif p_verb = 'discard' and m.status = 'dead' then
    perform end_message(m, 'discarded', m.error);
  elsif p_verb = 'hasten' and m.status in ('queued', 'throttled', 'waiting') then
    update delivery_messages set due_at = least(due_at, clock_timestamp()) where id = p_id;
  elsif p_verb = 'redrive' and m.status in ('dead', 'cancelled') and m.shown is null
     or p_verb = 'redrive' and m.status = 'dead' then
    update delivery_messages
    set status = case when queue is null then 'waiting' else 'queued' end, due_at = clock_timestamp(), failures = 0,
        finished_at = null, rounds = rounds + 1, deadline = null, told = p_hash is null, wait_hash = p_hash
    where id = p_id;
    if m.queue is not null then
      perform open_queue(m.tenant, m.queue);
    end if;
  else
    return false;
  end if;
  return true;
end $$;

-- Forget what was settled long ago; what nobody has taken care of is kept three times as long.
create or replace function forget_messages(p_days int, p_limit int) returns int language plpgsql as $$
declare
  v_old uuid[];
begin
  v_old := array(
    select id from delivery_messages
    where finished_at < clock_timestamp() - make_interval(days => p_days * case status when 'dead' then 3 else 1 end)
    order by finished_at limit p_limit);
  delete from blob_uses where run_id = any (v_old);
  delete from delivery_messages where id = any (v_old);
  delete from deduplications where until < clock_timestamp() - interval '1 day';
  return cardinality(v_old);
end $$;

-- The step that sent it has failed because of it.
create or replace function message_seen(p_id uuid) returns void language sql as $$
  update delivery_messages set seen = true where id = p_id
$$;

-- That step is tried again: so is its message. p_hash: what the step waits for now.
create or replace function redrive_for_step(p_id uuid, p_hash text) returns void language plpgsql as $$
begin
  update delivery_messages set seen = false where id = p_id and seen;
  if found then
    perform change_message(id, tenant, 'redrive', p_hash) from delivery_messages where id = p_id;
  end if;
end $$;
