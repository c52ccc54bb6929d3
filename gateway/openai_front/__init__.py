"""OpenAI's wire format over runs: /v1/models, /v1/chat/completions, /v1/responses. Agents are models.

Any client of OpenAI's drives Perdure through it: a request is a run, its events are the stream.
"""
