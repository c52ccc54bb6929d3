"""The thinking before: makes the plan of a run.

Reads: the run, its conversation, the user's memories, the catalogue of tools.
Writes: the plan and its steps.
Hands on: the run to execution (or, with nothing to execute, to reflection).
"""
