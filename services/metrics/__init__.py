"""What is measured, for Prometheus: several processes, one truth.

families.py every metric with its help · tally.py what happens in this process, counted and sent to Redis ·
story.py what events tell · state.py what is the case, asked of Postgres and Redis · reading.py all of it together.
"""
