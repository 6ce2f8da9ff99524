"""The goals for tertulia: ratios within one run, or bounds, and whether they are met."""

import statistics
from typing import NamedTuple

from workloads import Figures

Results = dict[str, dict[str, list[Figures]]]  # by workload and server: the figures of each run
IRC = ("inspircd", "ngircd")
PEERS = (*IRC, "mosquitto", "nats")
WEB_PEERS = ("inspircd-web", "mosquitto-web", "nats-web", "ws", "websockets")


class Goal(NamedTuple):
    """A bound for one figure of one workload, or for its ratio to the best of others."""

    workload: str
    figure: str
    at_least: bool
    bound: float
    against: tuple[str, ...] = ()
    server: str = "tertulia"
    of_workload: str = ""  # the workload of the other figure, if it is another one

    def reached(self, results: Results) -> float | None:
        """Return the value to compare with the bound; None if a figure for it is missing."""
        value = median(results, self.workload, self.server, self.figure)
        if value is None or not self.against:
            return value
        other_workload = self.of_workload or self.workload
        others = [median(results, other_workload, peer, self.figure) for peer in self.against]
        known = [other for other in others if other]
        if not known:
            return None
        return value / (max(known) if self.at_least else min(known))

    def is_met(self, value: float) -> bool:
        """Return whether a value meets the goal."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        against = f" of {'the best of ' if self.against[1:] else ''}" if self.against else ""
        others = ", ".join(self.against)
        if self.of_workload:
            others += f" in {self.of_workload}"
        return f"{self.figure}{against}{others} {'≥' if self.at_least else '≤'} {self.bound:g}"


WEB_LOADS = {"100-1": 1.0, "1000-1": 1.0, "100-64": 1.5, "1000-64": 1.5}

GOALS = (
    Goal("fanout-100-64", "per_s", True, 1.5, ("inspircd",)),
    Goal("fanout-100-64", "per_s", True, 0.9, ("limit",)),
    Goal("fanout-1000-64", "per_s", True, 1.8, ("inspircd",)),
    Goal("fanout-1000-64", "per_s", True, 0.85, ("limit",)),
    Goal("fanout-100-64", "cpu_per_million_s", False, 0.77, ("inspircd",)),
    Goal("fanout-1000-64", "cpu_per_million_s", False, 0.67, ("inspircd",)),
    Goal("fanout-100-1", "per_s", True, 1.0, ("inspircd",)),
    Goal("fanout-1000-1", "per_s", True, 1.0, ("inspircd",)),
    Goal("direct", "per_s", True, 1.0, IRC),
    Goal("paced", "p50_ms", False, 1.0, PEERS),
    Goal("paced", "p99_ms", False, 1.0, PEERS),
    Goal("connect-1000", "per_s", True, 1.5, ("nats",)),
    Goal("connect-10000", "per_s", True, 1.5, ("nats",)),
    Goal("connect-1000", "resident_each_kb", False, 6.0),
    Goal("connect-10000", "resident_each_kb", False, 6.0),
    Goal("idle-10000", "cpu_percent", False, 2.0),
    Goal(
        "fanout-5000-64",
        "cpu_per_million_s",
        False,
        1.3,
        ("tertulia",),
        of_workload="fanout-100-64",
    ),
    Goal("fanout-100-64", "per_s", True, 0.7, ("tertulia",), server="tertulia+history"),
    Goal("burst", "max_ms_burst", False, 50.0),
    *(
        Goal(f"web-{load}", "cpu_per_million_s", False, 1.2, ("tertulia",), server="tertulia-web")
        for load in WEB_LOADS
    ),
    *(
        Goal(f"web-{load}", "per_s", True, bound, WEB_PEERS, server="tertulia-web")
        for load, bound in WEB_LOADS.items()
    ),
    Goal("web-idle", "resident_each_kb", False, 6.0, server="tertulia-web"),
)


def median(results: Results, workload: str, server: str, figure: str) -> float | None:
    """Return the median of a figure; None if it was not measured."""
    runs = results.get(workload, {}).get(server, [])
    return statistics.median(run[figure] for run in runs) if runs else None
