-- Delivery: messages to URLs, claimed by workers with a lease, fenced by the number of the attempt, each with one id for
-- all attempts. States: queued (its turn in an ordered queue has not come), throttled (at a flow key), waiting (for
-- due_at), delivering, delivered, dead, cancelled, discarded. Lock order: a queue's row, its messages, a flow key's row.

-- Is this key taken? The id of what has it, or null when p_id has it now. A key is free again when its window is over.
create or replace function deduplicated(p_tenant text, p_kind text, p_key text, p_seconds double precision, p_id uuid)
returns uuid language plpgsql as $$
declare
  v_first uuid;
begin
  insert into deduplications as d (tenant, kind, key, id, until)
  values (p_tenant, p_kind, p_key, p_id, clock_timestamp() + make_interval(secs => p_seconds))
  on conflict (tenant, kind, key) do update set id = excluded.id, until = excluded.until
  where d.until <= clock_timestamp() or d.id = excluded.id
  returning id into v_first;
  if v_first is null then
    select id into v_first from deduplications where tenant = p_tenant and kind = p_kind and key = p_key;
    return v_first;
  end if;
  return null;
end $$;

-- Take messages, all or none. Returns [{id, deduplicated}] in their order.
create or replace function publish_messages(p_messages jsonb) returns jsonb language plpgsql as $$
declare
  m jsonb;
  v_first uuid;
  v_taken jsonb := '[]';
begin
  for m in select * from jsonb_array_elements(p_messages) loop
    v_first := null;
    if m ->> 'dedup_key' is not null then
      v_first := deduplicated(m ->> 'tenant', 'message', m ->> 'dedup_key', (m ->> 'dedup_seconds')::double precision,
                              (m ->> 'id')::uuid);
    end if;
    if v_first is null then
      perform insert_message(m);
    end if;
    v_taken := v_taken || jsonb_build_object('id', coalesce(v_first, (m ->> 'id')::uuid),
                                             'deduplicated', v_first is not null);
  end loop;
  return v_taken;
end $$;

create or replace function insert_message(m jsonb) returns void language plpgsql as $$
declare
  v_id uuid := (m ->> 'id')::uuid;
begin
  if m ->> 'queue' is not null then
    insert into delivery_queues (tenant, name) values (m ->> 'tenant', m ->> 'queue') on conflict do nothing;
    perform from delivery_queues where tenant = m ->> 'tenant' and name = m ->> 'queue' for update; -- keeps the order
  end if;
  insert into delivery_messages (
    id, tenant, source, url, host, method, headers, body, shown, secret, subscription_id, group_name, queue, flow, labels,
    status, due_at, deadline, timeout, max_attempts, retry_delay, callbacks, run_id, step_id, effect, wait_hash)
  values (
    v_id, m ->> 'tenant', m ->> 'source', m ->> 'url', m ->> 'host', m ->> 'method', m -> 'headers',
    case when nullif(m -> 'shown', 'null') is null then kept(m ->> 'tenant', v_id, m -> 'body') else m -> 'body' end,
    nullif(m -> 'shown', 'null'), m ->> 'secret', (m ->> 'subscription_id')::uuid, m ->> 'group_name', m ->> 'queue',
    m ->> 'flow', coalesce(nullif(m -> 'labels', 'null'), '{}'), case when m ->> 'queue' is null then 'waiting' else 'queued' end,
    coalesce((m ->> 'not_before')::timestamptz, clock_timestamp() + make_interval(secs => (m ->> 'delay')::double precision),
             clock_timestamp()),
    (m ->> 'deadline')::timestamptz, (m ->> 'timeout')::double precision, (m ->> 'max_attempts')::int,
    m ->> 'retry_delay', nullif(m -> 'callbacks', 'null'), (m ->> 'run_id')::uuid, m ->> 'step_id', m ->> 'effect',
    m ->> 'wait_hash')
  on conflict (id) do nothing; -- repeated: the reply of the first call was lost
  if m ->> 'queue' is not null then
    perform open_queue(m ->> 'tenant', m ->> 'queue');
  end if;
end $$;

-- Let the next of a queue come, as many as it has room for. One that waits for its next attempt keeps its place, so with
-- room for one, none overtakes another.
create or replace function open_queue(p_tenant text, p_queue text) returns void language plpgsql as $$
declare
  q delivery_queues%rowtype;
  v_open int;
begin
  select * into q from delivery_queues where tenant = p_tenant and name = p_queue for update;
  select count(*) into v_open from delivery_messages
  where tenant = p_tenant and queue = p_queue and status in ('waiting', 'throttled', 'delivering');
  update delivery_messages set status = 'waiting'
  where id in (select id from delivery_messages where tenant = p_tenant and queue = p_queue and status = 'queued'
               order by place limit greatest(q.parallelism - v_open, 0));
end $$;

-- May one more message of this flow key be sent now? Its start is counted if so.
create or replace function flow_admits(p_name text) returns boolean language plpgsql as $$
declare
  k flow_keys%rowtype;
begin
  select * into k from flow_keys where name = p_name for update;
  if not found then
    return true;
  elsif flow_room(k, null, null) <= 0 then
    return false;
  end if;
  update flow_keys set starts = (starts || clock_timestamp())[greatest(1, cardinality(starts) + 2 - rate):]
  where name = p_name and rate is not null;
  return true;
end $$;

-- The next messages that are due become this worker's; a host that hangs gets no more than p_per_host at a time. p_mine:
-- those that the worker has in its hands.
create or replace function claim_messages(p_worker text, p_limit int, p_per_host int, p_mine uuid[]) returns jsonb
language plpgsql as $$
declare
  m delivery_messages%rowtype;
  v_now timestamptz := clock_timestamp();
  v_claims jsonb := '[]';
begin
  for m in
    select * from delivery_messages d
    where status = 'waiting' and due_at <= v_now
      and (queue is null or not exists (
        select from delivery_queues q where q.tenant = d.tenant and q.name = d.queue and q.paused))
      and host not in (select host from delivery_messages where status = 'delivering'
                       group by host having count(*) >= p_per_host)
    order by due_at limit p_limit for update skip locked
  loop
    if m.deadline <= v_now then
      perform end_message(m, 'dead', '{"reason": "deadline", "detail": "It was not delivered by its deadline."}');
    elsif m.effect is not null and exists (
        select from runs where id = m.run_id and (phase is null or cancel_requested)) then
      perform end_message(m, 'cancelled', '{"reason": "run_ended", "detail": "The run that sent it has ended."}');
    elsif m.flow is not null and not flow_admits(m.flow) then
      update delivery_messages set status = 'throttled' where id = m.id;
    else
      update delivery_messages set status = 'delivering', worker = p_worker, attempt = attempt + 1, started_at = v_now
      where id = m.id returning * into m;
      insert into delivery_attempts (message_id, attempt, tenant, worker, started_at)
      values (m.id, m.attempt, m.tenant, p_worker, v_now);
      v_claims := v_claims || jsonb_build_object(
        'id', m.id, 'attempt', m.attempt, 'tenant', m.tenant, 'url', m.url, 'host', m.host, 'method', m.method,
        'headers', m.headers, 'body', whole(m.tenant, m.body), 'secret', m.secret, 'subscription_id', m.subscription_id,
        'timeout', m.timeout, 'failures', m.failures, 'max_attempts', m.max_attempts, 'retry_delay', m.retry_delay,
        'flow', m.flow, 'effect', m.effect);
    end if;
  end loop;
  return v_claims;
end $$;

-- The connection broke while messages were claimed: what the first call took, and nobody here knows of, goes back.
create or replace function claim_messages_again(p_worker text, p_limit int, p_per_host int, p_mine uuid[]) returns jsonb
language plpgsql as $$
begin
  perform lose_message(m, 'handed_back') from delivery_messages m
  where status = 'delivering' and worker = p_worker and id <> all (p_mine);
  return claim_messages(p_worker, p_limit, p_per_host, p_mine);
end $$;

-- How an attempt ended. p_end: {outcome: delivered, retry or refused, status, reason, detail, reply, retry_in}. A late
-- one changes nothing but the log. Returns {fenced, status, dueIn}.
create or replace function finish_message(p_id uuid, p_attempt int, p_end jsonb) returns jsonb language plpgsql as $$
declare
  m delivery_messages%rowtype;
  v_error jsonb := jsonb_strip_nulls(jsonb_build_object('reason', p_end -> 'reason', 'detail', p_end -> 'detail'));
  v_due timestamptz := clock_timestamp() + make_interval(secs => (p_end ->> 'retry_in')::double precision);
begin
  select * into m from delivery_messages where id = p_id;
  perform from delivery_queues where tenant = m.tenant and name = m.queue for update;
  select * into m from delivery_messages where id = p_id for update;
  update delivery_attempts
  set ended_at = clock_timestamp(), outcome = coalesce(outcome || ', late: ', '') || (p_end ->> 'outcome'),
      status = (p_end ->> 'status')::int, error = p_end ->> 'detail', reply = p_end ->> 'reply'
  where message_id = p_id and attempt = p_attempt;
  if m.attempt is distinct from p_attempt or m.status <> 'delivering' then
    return jsonb_build_object('fenced', true, 'status', m.status);
  end if;
  m.reply := jsonb_build_object('status', p_end -> 'status', 'body', p_end -> 'reply');
  if p_end ->> 'outcome' = 'delivered' then
    perform end_message(m, 'delivered', null);
  elsif p_end ->> 'outcome' = 'refused' then
    perform end_message(m, 'dead', v_error);
  elsif m.failures + 1 >= m.max_attempts then
    m.failures := m.failures + 1;
    perform end_message(m, 'dead', v_error || '{"reason": "attempts_exhausted"}');
  elsif m.deadline < v_due then
    m.failures := m.failures + 1;
    perform end_message(m, 'dead', v_error || '{"reason": "deadline"}');
  else
    update delivery_messages
    set status = 'waiting', worker = null, failures = failures + 1, due_at = v_due, error = v_error, reply = m.reply
    where id = p_id;
    return jsonb_build_object('fenced', false, 'status', 'waiting', 'dueIn', p_end -> 'retry_in');
  end if;
  return jsonb_build_object('fenced', false, 'status', (select status from delivery_messages where id = p_id));
end $$;

-- The first call may have been committed: then this one finds its own end.
create or replace function finish_message_again(p_id uuid, p_attempt int, p_end jsonb) returns jsonb
language plpgsql as $$
begin
  perform from delivery_messages where id = p_id for update;
  if exists (select from delivery_attempts where message_id = p_id and attempt = p_attempt
               and outcome = p_end ->> 'outcome') then
    return jsonb_build_object('fenced', false, 'status', (select status from delivery_messages where id = p_id));
  end if;
  return finish_message(p_id, p_attempt, p_end);
end $$;

-- Its last state, with what follows: the next in its queue, and the callback that tells of it. Of a message with redacted
-- fields only what may be shown is kept, unless it may be sent again.
create or replace function end_message(m delivery_messages, p_status text, p_error jsonb) returns void
language plpgsql as $$
declare
  v_url text := m.callbacks ->> case p_status when 'delivered' then 'success' else 'failure' end;
begin
  update delivery_messages
  set status = p_status, worker = null, finished_at = clock_timestamp(), error = p_error, reply = m.reply,
      failures = m.failures,
      headers = case when p_status = 'dead' then headers else coalesce(shown -> 'headers', headers) end,
      body = case when p_status = 'dead' then body else coalesce(shown -> 'body', body) end
  where id = m.id;
  if m.queue is not null then
    perform open_queue(m.tenant, m.queue);
  end if;
  if p_error ->> 'reason' = 'gone' and m.subscription_id is not null then
    update webhooks set paused_because = 'It answered 410 Gone.' where id = m.subscription_id;
  end if;
  if v_url is not null and p_status in ('delivered', 'dead') then
    perform insert_message(callback_message(m, v_url, jsonb_build_object(
      'type', 'message.' || p_status, 'timestamp', wire_time(clock_timestamp()), 'data', jsonb_build_object(
        'messageId', m.id, 'url', m.url, 'status', p_status, 'attempts', m.attempt, 'error', p_error, 'reply', m.reply,
        'group', m.group_name, 'queue', m.queue, 'labels', m.labels))));
  end if;
end $$;

-- A message that tells p_url of another message: signed like that one.
create or replace function callback_message(m delivery_messages, p_url text, p_body jsonb) returns jsonb
language sql volatile as $$
  select jsonb_build_object(
    'id', gen_random_uuid(), 'tenant', m.tenant, 'source', 'callback', 'url', p_url,
    'host', substring(p_url from '^[a-z]+://([^/?#]+)'), 'method', 'POST',
    'headers', '{"Content-Type": "application/json"}'::jsonb, 'body', to_jsonb(p_body::text),
    'secret', m.callbacks -> 'secret', 'timeout', 30, 'max_attempts', 9, 'labels', m.labels, 'run_id', m.run_id)
$$;

-- Its worker is gone (`lost`, which counts as a failure) or said goodbye (`handed_back`): somebody else sends it again,
-- with the same id.
create or replace function lose_message(m delivery_messages, p_reason text) returns void language plpgsql as $$
begin
  perform from delivery_queues where tenant = m.tenant and name = m.queue for update;
  select * into m from delivery_messages where id = m.id and attempt = m.attempt and status = 'delivering' for update;
  if m.id is null then
    return; -- it ended meanwhile
  end if;
  update delivery_attempts set ended_at = clock_timestamp(), outcome = p_reason
  where message_id = m.id and attempt = m.attempt;
  m.failures := m.failures + (p_reason = 'lost')::int;
  if m.failures >= m.max_attempts then
    perform end_message(m, 'dead', '{"reason": "attempts_exhausted", "detail": "The workers that sent it kept dying."}');
  else
    update delivery_messages set status = 'waiting', worker = null, failures = m.failures, due_at = clock_timestamp()
    where id = m.id;
  end if;
end $$;

-- What hangs beyond its timeout, or belongs to a worker that is not on the list.
create or replace function lose_hung_messages(p_limit int) returns jsonb language plpgsql as $$
declare
  m delivery_messages%rowtype;
  v_lost int := 0;
begin
  for m in
    select * from delivery_messages d
    where status = 'delivering' and (started_at < clock_timestamp() - make_interval(secs => timeout + 30) or (
      started_at < clock_timestamp() - interval '3 s' and not exists (select from workers w where w.id = d.worker)))
    limit p_limit
  loop
    perform lose_message(m, 'lost');
    v_lost := v_lost + 1;
  end loop;
  return to_jsonb(v_lost);
end $$;
