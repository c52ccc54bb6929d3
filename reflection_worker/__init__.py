"""The thinking after: judges the results, answers, and remembers what is worth it.

Reads: the settled run, its plan's note and its steps; the conversation and the user's memories.
Writes: the answer, streamed while it is written; the run's end; memories.
Hands on: nothing; the run is over.
"""
