"""All metrics as Prometheus reads them (text format 0.0.4), the same whichever process is asked."""

from collections import defaultdict
from collections.abc import Iterator

import redis
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from services.metrics import state, tally
from services.metrics.families import FAMILIES, SECONDS, Family
from services.metrics.tally import Labels

BOUNDS = [*(str(bound) for bound in SECONDS), "+Inf"]


def text() -> bytes:
    """What GET /metrics answers."""
    registry = CollectorRegistry()
    registry.register(_Everything())
    return generate_latest(registry)


class _Everything:
    def collect(self) -> Iterator[Metric]:
        """Counters of all processes, then what is the case now."""
        values: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
        for family, labels, value in state.samples():
            values[family.name].append((labels, value))
        counted = _counted()
        for name, family in FAMILIES.items():
            if family.kind == "gauge":
                gauge = GaugeMetricFamily(name, family.help, labels=family.labels)
                for labels, value in values[name]:
                    gauge.add_metric(labels, value)
                yield gauge
            elif family.kind == "counter":
                yield _counter(family, counted[name])
            else:
                yield _histogram(family, counted[name])


Parts = dict[Labels, dict[str, float]]


def _counted() -> dict[str, Parts]:
    found: dict[str, Parts] = defaultdict(lambda: defaultdict(dict))
    try:
        added_up = tally.added_up()
    except redis.RedisError:
        return found
    for (name, labels, part), amount in added_up.items():
        found[name][labels][part] = amount
    return found


def _counter(family: Family, parts: Parts) -> Metric:
    counter = CounterMetricFamily(family.name, family.help, labels=family.labels)
    if not family.labels and not parts:
        counter.add_metric((), 0)
    for labels, amounts in sorted(parts.items()):
        counter.add_metric(labels, amounts.get("", 0))
    return counter


def _histogram(family: Family, parts: Parts) -> Metric:
    histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    for labels, amounts in sorted(parts.items()):
        so_far, buckets = 0.0, []
        for bound in BOUNDS:
            so_far += amounts.get(bound, 0)
            buckets.append((bound, so_far))
        histogram.add_metric(labels, buckets, amounts.get("sum", 0))
    return histogram
