-- Recording events. Whoever calls these holds the run's row lock, which is what makes the numbers gapless.

create or replace function wire_time(p_at timestamptz) returns text language sql stable as $$
  select to_char(p_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- An event in its wire shape.
create or replace function wire_event(p_run uuid, p_seq int, p_name text, p_step text, p_at timestamptz, p_data jsonb)
returns jsonb language sql stable as $$
  select jsonb_build_object('seq', p_seq, 'name', p_name, 'workflowId', p_run, 'stepId', p_step,
                            'at', wire_time(p_at), 'data', p_data)
$$;

-- Writes one event and returns it in its wire shape.
create or replace function record_event(p_run uuid, p_tenant text, p_seq int, p_name text, p_step text, p_data jsonb,
                                        p_at timestamptz default clock_timestamp())
returns jsonb language sql as $$
  insert into events (run_id, seq, tenant, name, step_id, at, data)
  values (p_run, p_seq, p_tenant, p_name, p_step, p_at, p_data)
  returning wire_event(run_id, seq, name, step_id, at, data)
$$;
