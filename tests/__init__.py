"""The tests, by cost: unit (no I/O), integration (real servers), durability, acceptance."""
