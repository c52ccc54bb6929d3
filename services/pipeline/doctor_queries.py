"""The doctor's checks of runs and steps: what must hold, the query that finds where it does not, how it is mended."""

from dataclasses import dataclass
from typing import Literal

OPEN = "('pending', 'ready', 'running', 'waiting', 'in_doubt')"
MINE = "(cast(:tenant as text) is null or r.tenant = :tenant)"


@dataclass(frozen=True)
class Check:
    """A query of the rows that break an invariant: run_id, maybe step_id, and what explanation and repair need.

    repair: mend (count anew), release (the worker's leases), ring (the step or phase), sweep, or None when only a
    person can help.
    """

    severity: Literal["error", "warning"]
    invariant: str
    query: str
    explanation: str
    repair: Literal["mend", "release", "ring", "sweep"] | None


CHECKS = [
    Check(
        "error",
        "a run's count of open steps is right",
        f"""
        select r.id as run_id, r.open_steps as counted, count(s.id) as actual
        from runs r left join steps s on s.run_id = r.id and s.status in {OPEN}
        where r.phase is not null and {MINE} group by r.id having r.open_steps <> count(s.id)""",
        "It counts {counted} open steps but has {actual}: it would never end, or too early.",
        "mend",
    ),
    Check(
        "error",
        "a step's count of unmet dependencies is right",
        f"""
        select r.id as run_id, s.id as step_id, s.unmet as counted,
               count(d.id) filter (where not dependency_met(d)) as actual
        from runs r join steps s on s.run_id = r.id
          left join steps d on d.run_id = s.run_id and d.id = any (s.depends_on)
        where r.phase is not null and s.status = 'pending' and {MINE}
        group by r.id, s.run_id, s.id having s.unmet <> count(d.id) filter (where not dependency_met(d))""",
        "It counts {counted} unmet dependencies but has {actual}: it would never start, or too early.",
        "mend",
    ),
    Check(
        "error",
        "everything alive has an owner",
        f"""
        select r.id as run_id, s.id as step_id from runs r join steps s on s.run_id = r.id
        where r.phase = 'execute' and r.paused_at is null and not r.cancel_requested and s.status = 'pending'
          and s.unmet = 0 and {MINE}""",
        "All its dependencies are done, but it is not ready: nobody would ever start it.",
        "mend",
    ),
    Check(
        "error",
        "everything alive has an owner",
        f"""
        select r.id as run_id, s.id as step_id from runs r join steps s on s.run_id = r.id
        where r.phase is not null and s.status = 'waiting' and s.due_at is null and {MINE}""",
        "It waits, but for no time: nobody would ever wake it.",
        "mend",
    ),
    Check(
        "error",
        "everything alive has an owner",
        f"""
        select r.id as run_id, s.id as step_id from runs r join steps s on s.run_id = r.id
        where r.phase is not null and s.status = 'waiting' and s.control ? 'team' and {MINE} and not exists (
          select from delegations d where d.team = s.control #>> '{{team,key}}' and d.ended_at is null)""",
        "It waits for runs that it has delegated to, and all of them have ended.",
        "mend",
    ),
    Check(
        "error",
        "everything alive has an owner",
        f"""
        select r.id as run_id, d.parent_id from delegations d join runs r on r.id = d.child_id
          left join runs o on o.id = d.parent_id
        where d.ended_at is null and not d.detached and not r.cancel_requested and {MINE}
          and r.phase in ('plan', 'execute', 'reflect')
          and (o.id is null or o.finished_at < clock_timestamp() - interval '10 s')""",
        "Run {parent_id}, which delegated it, has ended; nobody waits for this one.",
        "sweep",
    ),
    Check(
        "error",
        "an ended run has no open step",
        f"""
        select r.id as run_id, s.id as step_id, s.status, r.status as run_status
        from runs r join steps s on s.run_id = r.id where r.phase is null and s.status in {OPEN} and {MINE}""",
        "The step is {status} though its run has ended ({run_status}).",
        "mend",
    ),
    Check(
        "error",
        "no lease of the dead",
        f"""
        select r.id as run_id, s.id as step_id, s.worker from runs r join steps s on s.run_id = r.id
        where s.status = 'running' and r.phase is not null and {MINE}
          and not exists (select from workers w where w.id = s.worker)""",
        "It is held by worker {worker}, which is not alive.",
        "release",
    ),
    Check(
        "error",
        "no lease of the dead",
        f"""
        select r.id as run_id, r.phase, r.phase_worker as worker from runs r
        where r.phase_worker is not null and {MINE}
          and not exists (select from workers w where w.id = r.phase_worker)""",
        "Its {phase} phase is held by worker {worker}, which is not alive.",
        "release",
    ),
    Check(
        "warning",
        "attempts end in time",
        f"""
        select r.id as run_id, s.id as step_id, s.timeout from runs r join steps s on s.run_id = r.id
        where s.status = 'running' and s.deadline < clock_timestamp() - interval '10 s' and {MINE}""",
        "The attempt has outlived its timeout of {timeout} s, and no sweeper has cut it off.",
        "sweep",
    ),
    Check(
        "warning",
        "timers ring",
        f"""
        select r.id as run_id, s.id as step_id, s.due_at from runs r join steps s on s.run_id = r.id
        where s.status = 'waiting' and s.due_at < clock_timestamp() - interval '10 s' and {MINE}
          and r.phase is not null""",
        "It was due at {due_at:%H:%M:%S}, and no sweeper has woken it.",
        "sweep",
    ),
    Check(
        "warning",
        "what is ready is taken",
        f"""
        select r.id as run_id, s.id as step_id, s.rings from runs r join steps s on s.run_id = r.id
        where s.status = 'ready' and r.phase = 'execute' and {MINE}
          and coalesce(s.rung_at, s.ready_at) < clock_timestamp() - interval '60 s'""",
        "It has been ready for more than a minute, was rung {rings} times, and no worker took it.",
        "ring",
    ),
    Check(
        "error",
        "everything alive has an owner",
        f"""
        select r.id as run_id, s.id as step_id from runs r join steps s on s.run_id = r.id
        where r.phase = 'execute' and s.status = 'ready' and s.rung_at = parked() and {MINE}
          and not exists (select from flow_waits w where (w.run_id, w.step_id) = (s.run_id, s.id)
                          and w.granted_at is null)""",
        "It is held back at a flow key, but is in no line: its turn would never come.",
        "ring",
    ),
    Check(
        "warning",
        "turns at flow keys come",
        f"""
        select r.id as run_id, s.id as step_id, k.name from runs r join steps s on s.run_id = r.id
          join flow_waits w on (w.run_id, w.step_id) = (s.run_id, s.id) join flow_keys k on k.name = w.name
        where s.status = 'ready' and s.rung_at = parked() and w.granted_at is null and {MINE}
          and w.since < clock_timestamp() - interval '60 s' and flow_room(k, null, null) > 0""",
        "It has waited at flow key {name} for more than a minute though there is room: no sweeper gave it its turn.",
        "sweep",
    ),
    Check(
        "warning",
        "what is ready is taken",
        f"""
        select r.id as run_id, r.phase, r.rings from runs r
        where r.phase in ('plan', 'reflect', 'remember') and r.phase_worker is null and r.paused_at is null and {MINE}
          and (r.held_until is null or r.waits_for is null and r.held_until < clock_timestamp() - interval '60 s')
          and coalesce(r.due_at, '-infinity') < clock_timestamp()
          and coalesce(r.rung_at, r.due_at, r.created_at) < clock_timestamp() - interval '60 s'""",
        "Its {phase} phase has waited for more than a minute, was rung {rings} times, and no worker took it.",
        "ring",
    ),
    Check(
        "warning",
        "what is settled is joined",
        f"""
        select r.id as run_id, 'reflect' as phase from runs r
        where r.phase = 'execute' and r.open_steps = 0 and r.paused_at is null and {MINE}
          and (select max(s.finished_at) from steps s where s.run_id = r.id) < clock_timestamp() - interval '20 s'
          and not exists (select from steps s where s.run_id = r.id and s.status in {OPEN})""",
        "All its steps have ended, but nobody has taken it to reflection.",
        "ring",
    ),
    Check(
        "error",
        "events are numbered without a gap",
        f"""
        select r.id as run_id, r.last_seq, count(e.seq) as events, coalesce(max(e.seq), 0) as highest
        from runs r left join events e on e.run_id = r.id
        where (r.phase is not null or :everything or r.finished_at > now() - interval '1 day') and {MINE}
        group by r.id having count(e.seq) <> r.last_seq or coalesce(max(e.seq), 0) <> r.last_seq""",
        "It has {events} events numbered up to {highest}, and counts {last_seq}.",
        None,
    ),
    Check(
        "error",
        "a run ends with its one terminal event",
        f"""
        select r.id as run_id, r.status, count(e.seq) as events
        from runs r left join events e
          on e.run_id = r.id and e.name in ('run.succeeded', 'run.failed', 'run.cancelled')
        where (r.phase is not null or :everything or r.finished_at > now() - interval '1 day') and {MINE}
        group by r.id
        having count(e.seq) <> (r.phase is null)::int or (r.phase is null and max(e.seq) <> r.last_seq)""",
        "The run is {status} and has {events} terminal events.",
        None,
    ),
    Check(
        "error",
        "the tools of live steps exist",
        f"""
        select r.id as run_id, s.id as step_id, s.tool from runs r join steps s on s.run_id = r.id
        where r.phase is not null and s.status in ('pending', 'ready', 'waiting') and {MINE}
          and (s.error ->> 'reason' = 'no_tool' or not exists (select from tools t where t.name = s.tool))""",
        "No worker that looked has the tool {tool!r}; start one that has it, or skip the step.",
        None,
    ),
]

# What waits for a person: (what, how many, sentence).
COUNTS = [
    (
        "dead letters are looked at",
        f"select count(*) from dead_letters r where resolved_at is null and {MINE}",
        "{number} dead letters wait to be resumed, restarted or discarded.",
    ),
    (
        "dead messages are looked at",
        f"select count(*) from delivery_messages r where status = 'dead' and {MINE}",
        "{number} messages could not be delivered (`perdure messages list --status dead`): redrive or discard them.",
    ),
    (
        "what is due is sent",
        f"""
        select count(*) from delivery_messages r
        where status = 'waiting' and due_at < clock_timestamp() - interval '60 s' and {MINE}""",
        "{number} messages have been due for a minute: a queue is paused, a host hangs, or workers are missing.",
    ),
    (
        "webhooks that are gone are removed",
        f"select count(*) from webhooks r where paused_because is not null and {MINE}",
        "{number} webhooks were paused since nobody answers there any more (`perdure webhooks list`).",
    ),
    (
        "runs are held back",
        f"select count(*) from runs r where phase is not null and held_until is not null and {MINE}",
        "{number} runs are held back until their time.",
    ),
    (
        "doubts are resolved",
        f"select count(*) from steps r where status = 'in_doubt' and {MINE}",
        "{number} steps are in doubt and wait for a person.",
    ),
    (
        "paused runs are remembered",
        f"select count(*) from runs r where phase is not null and paused_at is not null and {MINE}",
        "{number} runs are paused.",
    ),
    (
        "runs sleep until their time",
        f"select count(*) from steps r where status = 'waiting' and error is null and {MINE}",
        "{number} steps sleep until a time (`perdure why RUN` says which); they hold no worker.",
    ),
    (
        "what failed is tried again",
        f"select count(*) from steps r where status = 'waiting' and error is not null and {MINE}",
        "{number} steps failed, or found no worker that has their tool, and are tried again by themselves.",
    ),
    (
        "phases that failed are tried again",
        f"select count(*) from runs r where phase_failures > 0 and phase is not null and due_at is not null and {MINE}",
        "{number} runs could not be planned or answered and are tried again; `perdure why RUN` says what failed.",
    ),
    (
        "turns are waited for",
        f"""
        select count(*) from flow_waits r where granted_at is null and {MINE}
          and exists (select from flow_keys k where k.name = r.name and not k.paused)""",
        "{number} steps wait for their turn at a flow key (`perdure flow` lists the limits).",
    ),
    (
        "paused flow keys are remembered",
        f"""
        select count(*) from flow_waits r where granted_at is null and {MINE}
          and exists (select from flow_keys k where k.name = r.name and k.paused)""",
        "{number} steps wait at paused flow keys.",
    ),
]
