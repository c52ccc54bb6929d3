"""Every metric: its name, what it means, its labels. The one list that the exposition, the docs and the tests go by."""

from dataclasses import dataclass
from typing import Literal

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@dataclass(frozen=True)
class Family:
    """One metric. kind: a counter only grows, a gauge is what is the case now, a histogram counts durations."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


RUNS_ENDED = Family("perdure_runs_ended", "counter", "Runs that ended, by how.", ("status",))
RUN_SECONDS = Family("perdure_run_seconds", "histogram", "From the acceptance of a run to its end.", ("status",))
STEPS_ENDED = Family("perdure_steps_ended", "counter", "Attempts of steps that ended, by how.", ("tool", "outcome"))
STEP_SECONDS = Family("perdure_step_seconds", "histogram", "From the claim of a step to its result.", ("tool",))
RETRIES = Family("perdure_step_retries", "counter", "Steps that are tried again, by why.", ("reason",))
LEASES_LOST = Family(
    "perdure_leases_lost", "counter", "Steps whose worker died or that outlived their time.", ("reason",)
)
WORKERS_LOST = Family("perdure_workers_lost", "counter", "Worker processes that died or fell silent.", ("kind",))
MODEL_CALLS = Family("perdure_model_calls", "counter", "Calls of models.", ("model", "purpose"))
MODEL_TOKENS = Family(
    "perdure_model_tokens", "counter", "Tokens, as the endpoint counted them.", ("model", "direction")
)
MODEL_COST = Family("perdure_model_cost_dollars", "counter", "What they cost, where the price is known.", ("model",))
STREAM_DELAY = Family("perdure_stream_delay_seconds", "histogram", "From an event's commit to its way to a client.")
SWEEPS = Family("perdure_sweeps", "counter", "Passes of the sweeper.")
RUNG = Family("perdure_sweeper_rings", "counter", "What the sweeper found without a message, and rang.")

LIVE_RUNS = Family("perdure_live_runs", "gauge", "Runs that have not ended, by status.", ("status",))
WAITING_WORK = Family("perdure_queue_depth", "gauge", "Work that is ready and has nobody yet, by phase.", ("phase",))
OLDEST_WORK = Family("perdure_queue_age_seconds", "gauge", "How long the oldest of it has been waiting.", ("phase",))
MESSAGES = Family("perdure_broker_messages", "gauge", "Messages in the broker's queues.", ("queue",))
LIVE_STEPS = Family("perdure_live_steps", "gauge", "Steps that run, wait or are in doubt.", ("status",))
OVERDUE = Family("perdure_timers_overdue_seconds", "gauge", "How late the timer is that should have fired first.")
DEAD_LETTERS = Family("perdure_dead_letters", "gauge", "Dead letters that nobody has resolved.", ("reason",))
APPROVALS = Family("perdure_approvals_open", "gauge", "What waits for a person's word.")
WORKERS = Family("perdure_workers", "gauge", "Living processes, by kind.", ("kind",))
SLOTS = Family("perdure_worker_slots", "gauge", "How many tasks they can work on at once.", ("kind",))
BUSY = Family("perdure_worker_slots_busy", "gauge", "On how many they do.", ("kind",))
CONNECTIONS = Family("perdure_database_connections", "gauge", "Connections to this database, by state.", ("state",))
CONNECTIONS_MOST = Family("perdure_database_connections_max", "gauge", "How many the server allows.")
STREAM_CLIENTS = Family("perdure_stream_clients", "gauge", "Clients that follow a run now.")
STREAM_WAITING = Family("perdure_stream_events_waiting", "gauge", "Events that clients have not taken yet.")
SWEEP_AGE = Family("perdure_sweeper_lag_seconds", "gauge", "How long ago a sweep last ended well.")
UP = Family("perdure_up", "gauge", "Whether this part answers: postgres, redis.", ("part",))

FAMILIES = {family.name: family for family in list(globals().values()) if isinstance(family, Family)}
