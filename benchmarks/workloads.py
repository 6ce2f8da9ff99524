"""The workloads, the servers that take part in each, and the figures that each reports."""

from collections.abc import Callable
from typing import Any, NamedTuple

Figures = dict[str, float]
Options = dict[str, str | int]  # for the load generator
LoadReport = dict[str, Any]  # what the load generator has measured

CHATS = ("tertulia", "tertulia+history", "inspircd", "ngircd")
ALL = ("limit", "limit-long", *CHATS, "mosquitto", "nats", "asyncio", "threads")
BUSY = 0.95  # above this share of its core, the load generator is the bottleneck
WEB = (
    "tertulia",
    "tertulia-web",
    "inspircd-web",
    "mosquitto-web",
    "nats-web",
    "ws",
    "websockets",
)
WORKER_COUNTS = ("threads=1", "threads=2", "threads=4", "threads=session")


class Workload(NamedTuple):
    """One workload of the load generator, and which of its figures are shown."""

    group: str
    options: Options
    servers: tuple[str, ...]
    figures: Callable[[LoadReport], Figures]
    measure_s: float = 3.0
    cores: str = "0"  # on which the server runs


def throughput_figures(report: LoadReport) -> Figures:
    """Return the deliveries per second and what they cost the server."""
    millions = max(report["deliveries"], 1) / 1e6
    return {
        "per_s": report["deliveries"] / report["seconds"],
        "cpu_per_million_s": report["cpu_s"] / millions,
        "switches_per_s": report["switches"] / report["seconds"],
        "server_busy": report["cpu_s"] / report["seconds"],
        "busy": report["busy"],
    }


def latency_figures(report: LoadReport) -> Figures:
    """Return how long after it was due a message arrived."""
    names = ("p50_ms", "p99_ms", "p999_ms", "max_ms", "max_ms_burst")
    return {
        **{name: report[name] for name in names if name in report},
        "cpu_percent": 100 * report["cpu_s"] / report["seconds"],
        "busy": report["busy"],
    }


def connecting_figures(report: LoadReport) -> Figures:
    """Return the registrations per second and what one costs."""
    return {
        "per_s": report["clients"] / report["seconds"],
        "cpu_each_ms": report["cpu_all_s"] / report["clients"] * 1e3,
        "resident_each_kb": report["resident_kb"] / report["clients"],
        "busy": report["busy"],
    }


def idling_figures(report: LoadReport) -> Figures:
    """Return what idle sessions cost."""
    return {
        "cpu_percent": 100 * report["cpu_s"] / report["seconds"],
        "switches_per_s": report["switches"] / report["seconds"],
        "busy": report["busy"],
    }


def _all_workloads() -> dict[str, Workload]:
    found: dict[str, Workload] = {}
    options: Options
    for receivers in (10, 100, 1_000, 5_000):
        for window in (1, 64):
            options = {"workload": "fanout", "receivers": receivers, "window": window}
            found[f"fanout-{receivers}-{window}"] = Workload(
                "fanout", options, ALL, throughput_figures
            )
    found["ok-100-64"] = Workload(
        "ok",
        {"workload": "fanout", "receivers": 100, "window": 64},
        ("tertulia", "tertulia+ok", "tertulia+history"),
        throughput_figures,
    )
    found["direct"] = Workload(
        "direct",
        {"workload": "direct", "senders": 50},
        ("limit", "tertulia", "inspircd", "ngircd", "mosquitto", "nats"),
        throughput_figures,
    )
    # Some servers need clients that acknowledge at once (see servers.py). It affects the p99, so
    # here all clients do.
    paced: Options = {"workload": "paced", "receivers": 100, "rate": 200, "quickack": 1}
    found["paced"] = Workload("paced", paced, ALL, latency_figures, measure_s=10.0)
    mixed: Options = {"workload": "mixed", "receivers": 100, "senders": 100, "rate": 500}
    found["mixed"] = Workload("mixed", mixed, CHATS, latency_figures, measure_s=10.0)
    burst: Options = {"workload": "burst", "receivers": 1_000, "rate": 20, "newcomers": 100}
    found["burst"] = Workload("burst", burst, CHATS, latency_figures, measure_s=5.0)
    quiet = ("limit", "tertulia", "tertulia+history", "mosquitto", "nats")
    for clients in (1_000, 10_000):
        options = {"workload": "connect", "receivers": clients, "presence": 0}
        found[f"connect-{clients}"] = Workload("connect", options, quiet, connecting_figures)
    options = {"workload": "connect", "receivers": 1_000, "presence": 1}
    found["joins-1000"] = Workload("joins", options, CHATS, connecting_figures)
    options = {"workload": "idle", "receivers": 10_000, "presence": 0}
    found["idle-10000"] = Workload("idle", options, quiet, idling_figures, measure_s=60.0)
    for receivers in (100, 1_000):
        for window in (1, 64):
            options = {"workload": "fanout", "receivers": receivers, "window": window}
            found[f"web-{receivers}-{window}"] = Workload("web", options, WEB, throughput_figures)
    options = {"workload": "connect", "receivers": 5_000, "presence": 0}
    idle_web = tuple(server for server in WEB if server != "inspircd-web")
    found["web-idle"] = Workload("web", options, idle_web, connecting_figures)
    for cores in ("0", "0,1"):
        for window in (1, 64):
            options = {"workload": "fanout", "receivers": 100, "window": window}
            found[f"workers-{1 + cores.count(',')}core-100-{window}"] = Workload(
                "workers", options, WORKER_COUNTS, throughput_figures, cores=cores
            )
        found[f"workers-{1 + cores.count(',')}core-direct"] = Workload(
            "workers",
            {"workload": "direct", "senders": 50},
            WORKER_COUNTS,
            throughput_figures,
            cores=cores,
        )
    return found


WORKLOADS = _all_workloads()
