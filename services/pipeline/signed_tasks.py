"""A message's id is its signature: whoever lacks the installation's key can't make a worker do anything.

The id of each task is an HMAC of its name and the ids that it carries, so it costs no byte more, and a member of a
run's chord has the same id however often it is rung. A message with another id (forged, or with other ids or another
task put in) is dropped before anything of it is looked at. One that is replayed is a doorbell that rings twice.
"""

from typing import Any

from celery import Task
from celery.exceptions import Ignore

from services import logs
from services.secrets import vault

log = logs.get(__name__)


def id_of(task: str, ids: tuple[str, ...]) -> str:
    """The id of a task with these arguments."""
    return vault.sign("task", "\n".join((task, *ids)))


class SignedTask(Task):
    """The base of all tasks."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Celery's hook right before a task runs. Raises Ignore for a message that is not of ours."""
        if kwargs or not all(isinstance(each, str) for each in args) or task_id != id_of(self.name, tuple(args)):
            log.warning("A message that nobody of this installation has signed was dropped", task=self.name)
            raise Ignore
