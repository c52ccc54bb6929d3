"""Benchmarks: claims of speed come from here, as ratios taken in one run on one machine. Never part of the tests."""
