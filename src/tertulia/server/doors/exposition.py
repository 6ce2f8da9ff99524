"""The text in which Prometheus reads the figures: its format 0.0.4, one metric after the other.

Pure.
"""

from collections.abc import Iterator

from tertulia.protocol.measures import BUCKETS_S, Latencies, Measures
from tertulia.server.doors.metrics import METRICS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_PREFIX = "tertulia_"
_HEADS = [
    f"# HELP {_PREFIX}{metric.name} {metric.help}\n# TYPE {_PREFIX}{metric.name} {metric.kind}"
    for metric in METRICS
]
_BOUNDS = [*(f"{bound:g}" for bound in BUCKETS_S), "+Inf"]


def metric_names() -> set[str]:
    """Return the names of all samples, as a query writes them."""
    names = set()
    for metric in METRICS:
        endings = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names |= {f"{_PREFIX}{metric.name}{ending}" for ending in endings}
    return names


def expose(measures: Measures) -> bytes:
    """Return the figures as Prometheus reads them."""
    lines: list[str] = []
    for metric, head in zip(METRICS, _HEADS, strict=True):
        lines.append(head)
        name = _PREFIX + metric.name
        if metric.latencies is not None:
            lines += _buckets(name, metric.latencies(measures))
        elif metric.samples is not None:
            lines += [f"{name}{labels} {value!r}" for labels, value in metric.samples(measures)]
    lines.append("")
    return "\n".join(lines).encode()


def _buckets(name: str, latencies: Latencies) -> Iterator[str]:
    so_far = 0
    for bound, count in zip(_BOUNDS, latencies.counts, strict=True):
        so_far += count
        yield f'{name}_bucket{{le="{bound}"}} {so_far}'
    yield f"{name}_sum {latencies.sum_s!r}"
    yield f"{name}_count {so_far}"
