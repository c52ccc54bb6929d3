"""Traces of runs by OpenTelemetry, off unless PERDURE_TRACES says otherwise: run → phase → step → tool or model call.

identity.py ids that every process works out alike · spans.py what a worker does, while it does it · endings.py the run
as a whole, told at its end · export.py where spans go.
"""
