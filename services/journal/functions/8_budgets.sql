-- Budgets: accounts with limits by dimension. Whoever counts locks the accounts in the order of their names, so that
-- racing calls wait for each other and never deadlock. A run's row is never locked while these are.

-- The accounts of today in the place of `daily`; made where they are missing.
create or replace function dated_accounts(p_tenant text, p_accounts text[]) returns text[] language plpgsql as $$
declare
  v_today text := 'daily:' || to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD');
begin
  if not 'daily' = any (p_accounts) then
    return p_accounts;
  end if;
  insert into budgets (tenant, account, limits, on_exceed)
  select tenant, v_today, limits, on_exceed from budgets where tenant = p_tenant and account = 'daily'
  on conflict do nothing;
  return array_replace(p_accounts, 'daily', v_today);
end $$;

create or replace function added(p_one jsonb, p_other jsonb, p_sign int) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(name, total), '{}') from (
    select key as name, sum(amount) as total from (
      select key, value::numeric as amount from jsonb_each_text(p_one)
      union all select key, value::numeric * p_sign from jsonb_each_text(p_other)) e
    group by key) sums
$$;

-- What calls of dead workers had reserved may have been spent: it counts so.
create or replace function forfeit_reservations(p_tenant text, p_accounts text[]) returns void language plpgsql as $$
declare
  v reservations%rowtype;
begin
  for v in
    delete from reservations
    where tenant = p_tenant and accounts && p_accounts and expires_at < clock_timestamp() returning *
  loop
    update budgets set reserved = added(reserved, v.amounts, -1), spent = added(spent, v.amounts, 1)
    where tenant = v.tenant and account = any (v.accounts);
  end loop;
end $$;

-- One row for each limit: {account, dimension, limit, now, settled, on_exceed}. Locks the accounts. Of `seconds` what is
-- spent is the age.
create or replace function budget_rows(p_tenant text, p_accounts text[])
returns table (account text, dimension text, "limit" numeric, now numeric, settled numeric, on_exceed text)
language plpgsql as $$
begin
  perform from budgets b where b.tenant = p_tenant and b.account = any (p_accounts) order by b.account for update;
  perform forfeit_reservations(p_tenant, p_accounts);
  return query
    select b.account, l.key, l.value::numeric, l.value::numeric - s.spent - coalesce((b.reserved ->> l.key)::numeric, 0),
           l.value::numeric - s.spent, coalesce(d.on_exceed, b.on_exceed)
    from budgets b
    left join budgets d on d.tenant = b.tenant and d.account = 'daily' and b.account like 'daily:%'
    cross join lateral jsonb_each_text(coalesce(d.limits, b.limits)) l
    cross join lateral (select case l.key
      when 'seconds' then extract(epoch from clock_timestamp() - b.created_at)
      else coalesce((b.spent ->> l.key)::numeric, 0) end as spent) s
    where b.tenant = p_tenant and b.account = any (p_accounts);
end $$;

create or replace function budgets_left(p_tenant text, p_accounts text[]) returns jsonb language plpgsql as $$
begin
  return (select coalesce(jsonb_agg(to_jsonb(b)), '[]')
          from budget_rows(p_tenant, dated_accounts(p_tenant, p_accounts)) b);
end $$;

-- Null when it was counted; else the row that refuses.
create or replace function charge_budget(p_tenant text, p_accounts text[], p_amounts jsonb) returns jsonb
language plpgsql as $$
declare
  v_refusing jsonb;
begin
  p_accounts := dated_accounts(p_tenant, p_accounts);
  select to_jsonb(b) into v_refusing from budget_rows(p_tenant, p_accounts) b
  where b.now < coalesce((p_amounts ->> b.dimension)::numeric, 0) or (b.dimension = 'seconds' and b.now <= 0) limit 1;
  if v_refusing is null then
    update budgets set spent = added(spent, p_amounts, 1) where tenant = p_tenant and account = any (p_accounts);
  end if;
  return v_refusing;
end $$;

-- The reservation's id, or null where not all of it is there at this moment.
create or replace function reserve_budget(p_tenant text, p_accounts text[], p_amounts jsonb, p_seconds double precision)
returns uuid language plpgsql as $$
declare
  v_id uuid := gen_random_uuid();
begin
  p_accounts := dated_accounts(p_tenant, p_accounts);
  perform from budget_rows(p_tenant, p_accounts) b where b.now < coalesce((p_amounts ->> b.dimension)::numeric, 0);
  if found then
    return null;
  end if;
  update budgets set reserved = added(reserved, p_amounts, 1) where tenant = p_tenant and account = any (p_accounts);
  insert into reservations (id, tenant, accounts, amounts, expires_at)
  values (v_id, p_tenant, p_accounts, p_amounts, clock_timestamp() + make_interval(secs => p_seconds));
  return v_id;
end $$;

-- A call of a model has ended: {reservation, tenant, run_id, holder, agent, model, input_tokens, output_tokens,
-- cached_tokens, cost, degraded}. Returns the events.
create or replace function record_model_call(p jsonb) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v reservations%rowtype;
  v_used jsonb := jsonb_strip_nulls(jsonb_build_object(
    'tokens', (p ->> 'input_tokens')::int + (p ->> 'output_tokens')::int, 'money', p -> 'cost'));
begin
  delete from reservations where id = (p ->> 'reservation')::uuid returning * into v;
  if v.id is not null then
    perform from budgets where tenant = v.tenant and account = any (v.accounts) order by account for update;
    update budgets set reserved = added(reserved, v.amounts, -1), spent = added(spent, v_used, 1)
    where tenant = v.tenant and account = any (v.accounts);
  end if;
  if (p ->> 'input_tokens')::int + (p ->> 'output_tokens')::int = 0 then
    return '[]'; -- it came to nothing
  end if;
  insert into model_calls (tenant, run_id, holder, agent, model, input_tokens, output_tokens, cached_tokens, cost)
  values (p ->> 'tenant', (p ->> 'run_id')::uuid, p ->> 'holder', p ->> 'agent', p ->> 'model', (p ->> 'input_tokens')::int,
          (p ->> 'output_tokens')::int, (p ->> 'cached_tokens')::int, (p ->> 'cost')::numeric);
  select * into r from runs where id = (p ->> 'run_id')::uuid and phase is not null for update;
  if r.id is null then
    return '[]';
  end if;
  update runs set last_seq = r.last_seq + 1 where id = r.id;
  return jsonb_build_array(record_event(r.id, r.tenant, r.last_seq + 1, 'model.called',
    (select id from steps where run_id = r.id and id = p ->> 'holder'), jsonb_strip_nulls(jsonb_build_object(
      'for', p -> 'holder', 'model', p -> 'model', 'inputTokens', p -> 'input_tokens',
      'outputTokens', p -> 'output_tokens', 'cachedTokens', p -> 'cached_tokens', 'cost', p -> 'cost',
      'degraded', p -> 'degraded', 'fallback', p -> 'fallback'))));
end $$;

-- A run that draws on a budget that is used up waits for a person (on_exceed: ask). Returns the events.
create or replace function pause_for_budget(p_run uuid, p_because text) returns jsonb language plpgsql as $$
declare
  r runs%rowtype;
  v_event jsonb;
begin
  select * into r from runs where id = p_run for update;
  if r.phase is null or r.phase = 'remember' or r.paused_at is not null or r.cancel_requested then
    return '[]';
  end if;
  v_event := record_event(p_run, r.tenant, r.last_seq + 1, 'budget.exceeded', null,
                          jsonb_build_object('because', p_because, 'then', 'ask'));
  update runs set last_seq = r.last_seq + 1, paused_because = p_because where id = p_run;
  return v_event || (pause_run(p_run, r.tenant) -> 'events');
end $$;

-- The attempt is given back untouched, and its run waits for a person. Returns the events.
create or replace function hold_for_budget(p_run uuid, p_step text, p_attempt int, p_because text) returns jsonb
language plpgsql as $$
begin
  perform from runs where id = p_run for update;
  return lose_step(p_run, p_step, p_attempt, 'handed_back', p_because) || pause_for_budget(p_run, p_because);
end $$;

-- Other limits; what is spent stays. Null when the tenant has no such run.
create or replace function change_run_budget(p_tenant text, p_run uuid, p_limits jsonb, p_on_exceed text) returns jsonb
language plpgsql as $$
declare
  r runs%rowtype;
  v_account text := 'run:' || p_run;
begin
  insert into budgets (tenant, account, limits, on_exceed, created_at)
  select p_tenant, v_account, p_limits, p_on_exceed, created_at from runs where id = p_run and tenant = p_tenant
  on conflict (tenant, account) do update set limits = p_limits, on_exceed = p_on_exceed;
  select * into r from runs where id = p_run and tenant = p_tenant for update;
  if not found then
    return null;
  end if;
  update runs
  set accounts = case when v_account = any (accounts) then accounts else accounts || v_account end,
      deadline = case when p_limits ? 'seconds' then created_at + make_interval(secs => (p_limits ->> 'seconds')::double precision)
                      else deadline end,
      last_seq = r.last_seq + 1
  where id = p_run;
  return jsonb_build_array(record_event(p_run, p_tenant, r.last_seq + 1, 'budget.changed', null,
                                        jsonb_build_object('limits', p_limits, 'onExceed', p_on_exceed)));
end $$;
