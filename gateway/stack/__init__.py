"""A whole stack on one machine, as `perdure up` runs it: embedded servers and every line of the Procfile.

children.py one child process · embedded.py the servers as a child · lines.py what to start and with which environment ·
supervisor.py starts all, restarts what dies, leaves no orphan.
"""
