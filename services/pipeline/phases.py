"""The phases of a run on one screen, and the only place that builds a chain or a chord.

gateway ──start──▶ plan_run │ execute_run          a chain
                                └─▶ chord( run_step, run_step, … )      grows while steps become ready
                                          └─▶ reflect_on_run │ remember_run    its body, a chain
"""


def start(run_id: str) -> None:
    """Ring the first phase of a committed run. Never raises: if the broker is away, the sweeper rings."""
