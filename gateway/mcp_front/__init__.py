"""An MCP server at /mcp: agents and the control of runs are tools; long runs are tasks of the Tasks extension.

endpoint.py takes the requests of both eras, eras.py tells them apart; tools.py, agent_tools.py and tasks.py answer.
"""
