-- Big values are stored once by hash; a step's output or input, an attempt's output and an event then carry a reference,
-- {"$blob": <sha256>, "bytes": <size>}. blob_uses says which runs refer to which, so that retention knows what is left.

create or replace function is_blob(p_value jsonb) returns boolean language sql immutable as $$
  select jsonb_typeof(p_value) = 'object' and p_value ? '$blob'
$$;

-- The value, or its reference when it is big. What only looks like a reference is stored as a blob too, so that whatever
-- looks like one in a row is one. The size is that in memory: no text is made of a value that is small.
create or replace function kept(p_tenant text, p_run uuid, p_value jsonb) returns jsonb language plpgsql as $$
declare
  v_hash text;
  v_bytes int;
begin
  if p_value is null or (pg_column_size(p_value) <= 32768 and not is_blob(p_value)) then
    return p_value;
  end if;
  v_hash := encode(sha256(convert_to(p_value::text, 'utf8')), 'hex');
  v_bytes := octet_length(p_value::text);
  insert into blobs (tenant, hash, bytes, content) values (p_tenant, v_hash, v_bytes, p_value)
  on conflict (tenant, hash) do update set used_at = clock_timestamp(); -- and retention leaves it alone for a while
  insert into blob_uses (run_id, hash, tenant) values (p_run, v_hash, p_tenant) on conflict do nothing;
  return jsonb_build_object('$blob', v_hash, 'bytes', v_bytes);
end $$;

-- The value that a reference stands for; any other value as it is.
create or replace function whole(p_tenant text, p_value jsonb) returns jsonb language sql stable as $$
  select case when is_blob(p_value) then
    (select content from blobs where tenant = p_tenant and hash = p_value ->> '$blob') else p_value end
$$;

-- The blobs of a tenant that no run refers to any more. What was stored within the hour stays: its run may be about to
-- commit.
create or replace function delete_unused_blobs(p_tenant text) returns int language plpgsql as $$
declare
  v_deleted int;
begin
  delete from blobs b
  where tenant = p_tenant and used_at < clock_timestamp() - interval '1 hour'
    and not exists (select from blob_uses u where u.tenant = b.tenant and u.hash = b.hash);
  get diagnostics v_deleted = row_count;
  return v_deleted;
end $$;
