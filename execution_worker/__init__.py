"""The doing: runs tool steps as data flow.

Reads: ready steps and the outputs that they refer to; messages that are due.
Writes: how each attempt (at a step, at a message) ended, and what that made ready.
Hands on: steps that became ready to the run's chord; the settled run, through the chord's body, to reflection.
"""
