"""The Celery app of each worker kind: JSON, ids only, late acknowledgement, nothing that Redis could lose for good.

The settings follow from what Celery 5.7 on Redis really does under faults; docs/decisions.md has the measurements.
"""

from typing import Any

from celery import Celery

from services import redis_tls, settings
from services.pipeline import transport
from services.pipeline.signed_tasks import SignedTask

PLANNING, EXECUTION, REFLECTION = "planning", "execution", "reflection"

QUEUES = (PLANNING, EXECUTION, REFLECTION)
# what passes through each queue besides steps; an execution that is settled waits for reflection
PHASES = {PLANNING: ["plan"], EXECUTION: [], REFLECTION: ["reflect", "remember"]}

TASKS = {
    "planning_worker.plan_run": PLANNING,
    "execution_worker.execute_run": EXECUTION,
    "execution_worker.run_step": EXECUTION,
    "execution_worker.deliver": EXECUTION,
    "reflection_worker.reflect_on_run": REFLECTION,
    "reflection_worker.remember_run": REFLECTION,
    "reflection_worker.embed_memories": REFLECTION,
    "planning_worker.mark": PLANNING,
    "execution_worker.mark": EXECUTION,
    "reflection_worker.mark": REFLECTION,
}

_SOCKET = {"socket_timeout": 5, "socket_connect_timeout": 2, "socket_keepalive": True}


def create(name: str) -> Celery:
    """The app that a process uses; `name` is the package whose tasks it registers, or that of the publisher."""
    current = settings.current()
    transport.install()
    app = Celery(name, broker=current.broker, backend=current.redis, task_cls=SignedTask)
    app.conf.update(_SETTINGS)
    if not current.broker.startswith("redis"):
        app.conf.update(_SETTINGS_OF_RABBITMQ)
    app.conf.task_routes = {task: {"queue": queue} for task, queue in TASKS.items()}
    app.conf.broker_use_ssl = redis_tls.options(current.broker) or None
    app.conf.redis_backend_use_ssl = redis_tls.options(current.redis) or None
    return app


# Quorum queues survive a node. A message whose worker dies comes back at once; the claim finds whether it is late.
_SETTINGS_OF_RABBITMQ: dict[str, Any] = {
    "task_create_missing_queue_type": "quorum",
    "broker_transport_options": {"confirm_publish": True},
    "broker_heartbeat": 10,
    "broker_connection_timeout": 2,
}

_SETTINGS: dict[str, Any] = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    "broker_transport_options": {
        **_SOCKET,
        "visibility_timeout": 3600,
        "health_check_interval": 5,
        "priority_steps": [0],
        "queue_order_strategy": "priority",
        # Leases and the sweeper recover work, not the broker: its bookkeeping would cost more than half of all speed.
        "ack_emulation": False,
    },
    "redis_socket_timeout": 5,
    "redis_socket_connect_timeout": 2,
    "redis_socket_keepalive": True,
    "redis_backend_health_check_interval": 5,
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_create_missing_queues": True,
    "worker_prefetch_multiplier": 1,
    "result_chord_ordered": False,
    "result_backend_transport_options": {"result_chord_ordered": False},
    "result_chord_expires": 7 * 86_400,
    "result_backend_always_retry": True,
    "result_backend_max_retries": 3,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "task_publish_retry_policy": {"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.3},
    "worker_send_task_events": False,
    "task_send_sent_event": False,
    "worker_deduplicate_successful_tasks": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_log_color": False,
}
