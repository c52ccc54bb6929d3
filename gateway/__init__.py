"""The door: the Flask application, event streams, the command line, the page.

**Reads** runs, plans, steps, events, the tool catalogue, workers, memories. **Writes** runs (accept = commit),
cancellations, memories, API keys. **Hands on** a committed run's id to `services.pipeline.phases.start`.
"""
