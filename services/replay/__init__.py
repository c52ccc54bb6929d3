"""Replay: what a run was told by models and tools, recorded; the run told the same again; the first difference."""
