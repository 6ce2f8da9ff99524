"""What is measured: the workloads, who takes part in each, and how a run becomes figures."""

from collections.abc import Callable
from typing import Any, NamedTuple

Figures = dict[str, float]
Options = dict[str, str | int]  # for the load generator
Told = dict[str, Any]  # by the load generator

CHATS = ("tertulia", "tertulia+history", "inspircd", "ngircd")
ALL = ("limit", "limit-long", *CHATS, "mosquitto", "nats", "asyncio", "threads")
BUSY = 0.95  # above it the load generator was the bottleneck
WORKER_COUNTS = ("threads=1", "threads=2", "threads=4", "threads=session")


class Workload(NamedTuple):
    """One workload of the load generator, and which of its figures are shown."""

    group: str
    options: Options
    servers: tuple[str, ...]
    figures: Callable[[Told], Figures]
    measure_s: float = 3.0
    cores: str = "0"  # of the server


def of_throughput(told: Told) -> Figures:
    """Tell deliveries a second, and what the server has used for them."""
    millions = max(told["deliveries"], 1) / 1e6
    return {
        "per_s": told["deliveries"] / told["seconds"],
        "cpu_per_million_s": told["cpu_s"] / millions,
        "switches_per_s": told["switches"] / told["seconds"],
        "server_busy": told["cpu_s"] / told["seconds"],
        "busy": told["busy"],
    }


def of_latency(told: Told) -> Figures:
    """Tell how long after it was due a message was there."""
    names = ("p50_ms", "p99_ms", "p999_ms", "max_ms", "max_ms_burst")
    return {
        **{name: told[name] for name in names if name in told},
        "cpu_percent": 100 * told["cpu_s"] / told["seconds"],
        "busy": told["busy"],
    }


def of_connecting(told: Told) -> Figures:
    """Tell registrations a second, and what one costs."""
    return {
        "per_s": told["clients"] / told["seconds"],
        "cpu_each_ms": told["cpu_all_s"] / told["clients"] * 1e3,
        "resident_each_kb": told["resident_kb"] / told["clients"],
        "busy": told["busy"],
    }


def of_idling(told: Told) -> Figures:
    """Tell what sessions cost in which nothing happens."""
    return {
        "cpu_percent": 100 * told["cpu_s"] / told["seconds"],
        "switches_per_s": told["switches"] / told["seconds"],
        "busy": told["busy"],
    }


def _all_workloads() -> dict[str, Workload]:
    found: dict[str, Workload] = {}
    options: Options
    for receivers in (10, 100, 1_000, 5_000):
        for window in (1, 64):
            options = {"workload": "fanout", "receivers": receivers, "window": window}
            found[f"fanout-{receivers}-{window}"] = Workload("fanout", options, ALL, of_throughput)
    found["ok-100-64"] = Workload(
        "ok",
        {"workload": "fanout", "receivers": 100, "window": 64},
        ("tertulia", "tertulia+ok", "tertulia+history"),
        of_throughput,
    )
    found["direct"] = Workload(
        "direct",
        {"workload": "direct", "senders": 50},
        ("limit", "tertulia", "inspircd", "ngircd", "mosquitto", "nats"),
        of_throughput,
    )
    # The same clients for all, as some servers need them (servers.py): it is in the p99.
    paced: Options = {"workload": "paced", "receivers": 100, "rate": 200, "quickack": 1}
    found["paced"] = Workload("paced", paced, ALL, of_latency, measure_s=10.0)
    mixed: Options = {"workload": "mixed", "receivers": 100, "senders": 100, "rate": 500}
    found["mixed"] = Workload("mixed", mixed, CHATS, of_latency, measure_s=10.0)
    burst: Options = {"workload": "burst", "receivers": 1_000, "rate": 20, "newcomers": 100}
    found["burst"] = Workload("burst", burst, CHATS, of_latency, measure_s=5.0)
    quiet = ("limit", "tertulia", "tertulia+history", "mosquitto", "nats")
    for clients in (1_000, 10_000):
        options = {"workload": "connect", "receivers": clients, "presence": 0}
        found[f"connect-{clients}"] = Workload("connect", options, quiet, of_connecting)
    options = {"workload": "connect", "receivers": 1_000, "presence": 1}
    found["joins-1000"] = Workload("joins", options, CHATS, of_connecting)
    options = {"workload": "idle", "receivers": 10_000, "presence": 0}
    found["idle-10000"] = Workload("idle", options, quiet, of_idling, measure_s=60.0)
    for cores in ("0", "0,1"):
        for window in (1, 64):
            options = {"workload": "fanout", "receivers": 100, "window": window}
            found[f"workers-{1 + cores.count(',')}core-100-{window}"] = Workload(
                "workers", options, WORKER_COUNTS, of_throughput, cores=cores
            )
        found[f"workers-{1 + cores.count(',')}core-direct"] = Workload(
            "workers",
            {"workload": "direct", "senders": 50},
            WORKER_COUNTS,
            of_throughput,
            cores=cores,
        )
    return found


WORKLOADS = _all_workloads()
