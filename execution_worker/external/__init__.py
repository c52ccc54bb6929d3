"""Tools registered at run time: of MCP servers (mcp_sessions.py, mcp_tools.py) and HTTP endpoints (http_tools.py).

loading.py keeps the worker's registry and the catalogue in step with what is registered.
"""
