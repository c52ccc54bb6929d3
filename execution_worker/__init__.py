"""The doing: runs tool steps as data flow.

Reads: ready steps and the outputs that they refer to.
Writes: how each attempt ended, and what that made ready.
Hands on: steps that became ready to the run's chord; the settled run, through the chord's body, to reflection.
"""
