"""Schedules: what starts runs by the clock, once for every slot."""
