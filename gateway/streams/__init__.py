"""Event streams: one Redis subscription a process (hub), replay then live (following), and one file a transport.

WebSocket, SSE and long poll all consume `following.follow`; `capacity` bounds them and ends them at SIGTERM.
"""
