"""The offline planner: plans by rules, without a language model, what the built-in tools can do; declines the rest.

`plan` reads a request clause by clause (clauses.py); each clause goes to the skills in turn (skills/, one file each).
"""

from planning_worker.offline.planner import plan

__all__ = ["plan"]
