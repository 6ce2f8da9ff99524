"""Writes the figures as text for Prometheus, in its format 0.0.4. Pure."""

import functools
from collections.abc import Iterable, Iterator

from msgspec import UNSET

from tertulia.protocol.measures import BUCKETS_S, Latencies, Measures
from tertulia.server.doors.metrics import METRICS, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX = "tertulia_"
_Headed = list[tuple[Metric, str]]  # each metric with the lines above its samples
_BOUNDS = [*(f"{bound:g}" for bound in BUCKETS_S), "+Inf"]


def metric_names(metrics: Iterable[Metric] = METRICS) -> set[str]:
    """Return the names of all samples of some metrics, as queries use them."""
    names = set()
    for metric in metrics:
        endings = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {f"{_PREFIX}{metric.name}{ending}" for ending in endings}
    return names


def expose(measures: Measures) -> bytes:
    """Return the figures in Prometheus's format."""
    lines: list[str] = []
    for metric, head in _ALONE if measures.cluster is UNSET else _of_cluster():
        lines.append(head)
        name = _PREFIX + metric.name
        if metric.latencies is not None:
            lines += _buckets(name, metric.latencies(measures))
        elif metric.samples is not None:
            lines += [f"{name}{labels} {value!r}" for labels, value in metric.samples(measures)]
    lines.append("")
    return "\n".join(lines).encode()


def _with_heads(metrics: Iterable[Metric]) -> _Headed:
    return [(metric, _head(_PREFIX + metric.name, metric)) for metric in metrics]


def _head(name: str, metric: Metric) -> str:
    return f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}"


_ALONE = _with_heads(METRICS)


@functools.cache
def _of_cluster() -> _Headed:
    from tertulia.server.doors.cluster_metrics import CLUSTER_METRICS

    return _ALONE + _with_heads(CLUSTER_METRICS)


def _buckets(name: str, latencies: Latencies) -> Iterator[str]:
    so_far = 0
    for bound, count in zip(_BOUNDS, latencies.counts, strict=True):
        so_far += count
        yield f'{name}_bucket{{le="{bound}"}} {so_far}'
    yield f"{name}_sum {latencies.sum_s!r}"
    yield f"{name}_count {so_far}"
