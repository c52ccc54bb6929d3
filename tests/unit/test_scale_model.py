"""The model of a bigger deployment: measured costs times load."""

from benchmarks import scale_model
from benchmarks.scale_model import Costs


def test_it_reads_what_was_measured() -> None:
    costs = scale_model.measured()

    assert {"postgres", "gunicorn", "valkey", "execution_worker"} <= set(costs.cores)
    assert costs.commits > 0 and costs.log > 0
    assert "10,000 runs/min" in scale_model.table()


def test_needs_are_costs_times_load_and_the_heartbeats() -> None:
    costs = Costs({"postgres": 0.5, "execution_worker": 1.0, "gunicorn": 0.2, "valkey": 0.1}, commits=2, log=1_000_000)
    found = dict(scale_model.needs(costs, runs_a_minute=60, steps=100, workers=20, pool=3))

    assert found["steps a second"] == "100"
    assert found["commits a second"] == "210"
    assert found["write-ahead log, MB/s"] == "100.0"
    assert found["cores of all workers"] == "0.10"
    assert found["connections of the workers, DB_POOL_SIZE=3"] == "60"
    assert found["longest mean wait of a tool that the slots bear, s"] == "20.0"
