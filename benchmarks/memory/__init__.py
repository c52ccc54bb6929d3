"""How well and how fast memories are found. `python -m benchmarks.memory.locomo --help`, `…scale --help`."""
