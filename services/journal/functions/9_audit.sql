-- The audit log: a chain a tenant. Each row's hash is of its own content and the hash before it, so that a row can't be
-- changed, left out or put in without every later hash being wrong; audit_heads has the newest.

create or replace function audit_hash(l audit_log) returns text language sql stable as $$
  select encode(sha256(convert_to(jsonb_build_array(
    l.previous, l.tenant, l.seq, extract(epoch from l.at), l.actor, l.method, l.path, l.status, l.address)::text,
    'utf8')), 'hex')
$$;

-- It does not wait for the disk: a crash of the server may lose the last instant of the log, never a part of its middle.
create or replace function record_audit(p_tenant text, p_actor text, p_method text, p_path text, p_status int,
                                        p_address text) returns void language plpgsql as $$
declare
  l audit_log%rowtype;
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into audit_heads (tenant, seq, hash) values (p_tenant, 1, '')
  on conflict (tenant) do update set seq = audit_heads.seq + 1 returning seq, hash into l.seq, l.previous;
  l.tenant := p_tenant;
  l.at := clock_timestamp();
  l.actor := p_actor;
  l.method := p_method;
  l.path := p_path;
  l.status := p_status;
  l.address := p_address;
  l.hash := audit_hash(l);
  insert into audit_log select l.*;
  update audit_heads set hash = l.hash where tenant = p_tenant;
end $$;

-- The first row at which the chain is broken, and how; null when all of it holds.
create or replace function audit_fault(p_tenant text) returns jsonb language sql stable as $$
  with chain as (
    select l.*, audit_hash(l) as right_hash,
           lag(seq, 1, 0::bigint) over w as seq_before, lag(hash, 1, '') over w as hash_before
    from audit_log l where tenant = p_tenant window w as (order by seq)
  ), faults as (
    select seq, case when seq <> seq_before + 1 then 'missing' when hash <> right_hash then 'altered' else 'broken' end
      as fault, seq_before
    from chain where seq <> seq_before + 1 or hash <> right_hash or previous <> hash_before
    union all
    select h.seq, 'missing', coalesce((select max(seq) from audit_log where tenant = p_tenant), 0)
    from audit_heads h where h.tenant = p_tenant
      and not exists (select from audit_log l where l.tenant = p_tenant and l.seq = h.seq and l.hash = h.hash)
  )
  select jsonb_build_object('fault', fault, 'seq', case fault when 'missing' then seq_before + 1 else seq end)
  from faults order by faults.seq, fault limit 1
$$;
