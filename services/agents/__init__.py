"""Agents: named profiles that runs are given, and what a run does with its agent's."""
