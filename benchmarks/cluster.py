"""Measure what a cluster costs beside one server, in one run, all of it on this machine.

    python benchmarks/cluster.py [--runs 3] [latency throughput failover start]

Three nats-servers that write to the disk before they acknowledge, three nodes, and the same program
alone. README.md explains how to read the table.
"""

import argparse
import json
import select
import socket
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"
for folder in ("cluster", "system", "support"):
    sys.path.insert(0, str(TESTS / folder))

from nats_servers import nats_servers, own_address  # noqa: E402
from peers import fresh_address  # noqa: E402
from scenarios import follower_killed, leader_killed, node_killed, node_terminated  # noqa: E402
from scene import NodeProcess, Scene, scene  # noqa: E402

RESULTS = HERE / "results" / "cluster.json"
TEXT = "x" * 100
SECONDS = 5.0
RATES = (50, 500)  # says a second
WINDOWS = (1, 64, 1_000)  # says without an answer
FILLED = 20_000  # messages in the history that a fresh node does not have
WARM_UP_S = 1.0


# It gives how many texts were said, and how long each `ok` took in ms.
Work = Callable[[], tuple[int, list[float]]]


class Sample(NamedTuple):
    """What one measurement has given."""

    says: int
    seconds: float
    latencies_ms: list[float]
    cpu_s: dict[str, float]  # by who has used it

    def figures(self) -> dict[str, float]:
        """Return the figures for the table."""
        found = {"says/s": self.says / self.seconds}
        if self.latencies_ms:
            ordered = sorted(self.latencies_ms)
            found["p50 ms"] = statistics.median(ordered)
            found["p99 ms"] = ordered[int(len(ordered) * 0.99)]
        for who, seconds in self.cpu_s.items():
            found[f"CPU {who} ms/say"] = 1_000 * seconds / max(1, self.says)
        return found


class Speaker:
    """One connection that says texts, and reads its answers."""

    def __init__(self, node: NodeProcess, name: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.bind((fresh_address(), 0))
        self._socket.connect(node.address)
        self._rest = b""
        self._next = 0
        self._send({"type": "register", "name": name, "events": "messages"})
        self._socket.settimeout(30)
        assert b'"welcome"' in self._socket.recv(65_536)

    def _send(self, request: dict[str, object]) -> None:
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def say(self, count: int = 1) -> list[int]:
        """Say some texts at once; return their ids."""
        ids = list(range(self._next, self._next + count))
        self._next += count
        lines = [f'{{"type":"say","id":{number},"text":"{TEXT}"}}\n' for number in ids]
        self._socket.sendall("".join(lines).encode())
        return ids

    def answered(self, timeout_s: float) -> list[int]:
        """Return the ids of the texts that have got their `ok`."""
        if not select.select([self._socket], [], [], max(0.0, timeout_s))[0]:
            return []
        *lines, self._rest = (self._rest + self._socket.recv(1 << 20)).split(b"\n")
        answers = [json.loads(line) for line in lines if not line.startswith(b'{"type":"message"')]
        return [answer["id"] for answer in answers if answer["type"] == "ok"]

    def close(self) -> None:
        """Leave the chat."""
        self._socket.close()


class Contest:
    """A cluster and a server alone, which take turns."""

    def __init__(self, cluster: Scene, alone: NodeProcess) -> None:
        self.cluster = cluster
        self.alone = alone
        self._names = 0

    def speakers(self, nodes: list[NodeProcess]) -> list[Speaker]:
        """Let one user come to each node."""
        self._names += len(nodes)
        return [Speaker(node, f"s{self._names - index}") for index, node in enumerate(nodes)]

    def processes(self, *, of_cluster: bool) -> dict[str, list[int]]:
        """Return whose CPU time counts, by who it is."""
        if not of_cluster:
            return {"server": [self.alone.pid]}
        nats = [self.cluster.nats.pid(index) for index in range(self.cluster.nats.count)]
        origin, *others = [node.pid for node in self.cluster.nodes]
        return {"node": [origin], "each other node": others, "each nats-server": nats}


@contextmanager
def contest(root: Path) -> Iterator[Contest]:
    """Run both."""
    (root / "nats").mkdir(parents=True)
    host = own_address().rsplit(".", 1)[0] + ".250"
    alone = NodeProcess("alone", host, root, [])
    try:
        with nats_servers(root / "nats", 3) as nats, scene(root, nats, "bench") as cluster:
            alone.start()
            yield Contest(cluster, alone)
    finally:
        alone.kill()


def measure(both: Contest, work: Work, *, of_cluster: bool) -> Sample:
    """Do some work, and read the clocks before and after it."""
    processes = both.processes(of_cluster=of_cluster)
    before = {who: sum(map(cpu_seconds, ids)) / len(ids) for who, ids in processes.items()}
    began = time.monotonic()
    says, latencies = work()
    took = time.monotonic() - began
    after = {who: sum(map(cpu_seconds, ids)) / len(ids) for who, ids in processes.items()}
    return Sample(says, took, latencies, {who: after[who] - before[who] for who in after})


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process with all its threads, to the nanosecond."""
    ticks = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        ticks += int((task / "schedstat").read_text().split()[0])
    return ticks / 1e9


def paced(speaker: Speaker, rate: int, seconds: float) -> tuple[int, list[float]]:
    """Say texts at a rate; return how many, and how long each `ok` took in ms."""
    due: dict[int, float] = {}
    latencies: list[float] = []
    began = time.monotonic()
    sent = 0
    while len(latencies) < sent or time.monotonic() < began + seconds:
        now = time.monotonic()
        while began + sent / rate <= now < began + seconds:
            [number] = speaker.say()
            due[number] = now
            sent += 1
        wait_s = began + sent / rate - time.monotonic() if now < began + seconds else 1.0
        answers = speaker.answered(wait_s)
        now = time.monotonic()
        latencies += [1_000 * (now - due.pop(number)) for number in answers]
    return sent, latencies


def windowed(speakers: list[Speaker], window: int, seconds: float) -> tuple[int, list[float]]:
    """Keep so many texts of each speaker without an answer; return how many were confirmed."""
    confirmed = 0
    open_ones = {speaker: len(speaker.say(window)) for speaker in speakers}
    end = time.monotonic() + seconds
    while any(open_ones.values()):
        for speaker in speakers:
            if open_ones[speaker]:
                answers = len(speaker.answered(0.001 if len(speakers) > 1 else 1.0))
                confirmed += answers
                open_ones[speaker] -= answers
                if answers and time.monotonic() < end:
                    open_ones[speaker] += len(speaker.say(answers))
    return confirmed, []


def latency(both: Contest) -> Iterator[tuple[str, dict[str, float]]]:
    """Give the time from a say to its `ok`, and the CPU time of everybody for it."""
    for rate in RATES:
        for of_cluster in (False, True):
            node = both.cluster.nodes[0] if of_cluster else both.alone
            [speaker] = both.speakers([node])
            paced(speaker, rate, WARM_UP_S)
            work = lambda: paced(speaker, rate, SECONDS)  # noqa: B023, E731 - called at once
            sample = measure(both, work, of_cluster=of_cluster)
            speaker.close()
            yield f"{rate} says/s, {'cluster' if of_cluster else 'alone'}", sample.figures()


def throughput(both: Contest) -> Iterator[tuple[str, dict[str, float]]]:
    """Give how many says a second are confirmed, with so many without an answer."""
    for window in WINDOWS:
        nodes = both.cluster.nodes
        for what, taking_part in (
            *(("alone", [both.alone]), ("one node of the cluster", nodes[:1])),
            ("three nodes", nodes),
        ):
            speakers = both.speakers(taking_part)
            windowed(speakers, window, WARM_UP_S)
            work = lambda: windowed(speakers, window, SECONDS)  # noqa: B023, E731
            sample = measure(both, work, of_cluster=what != "alone")
            for speaker in speakers:
                speaker.close()
            yield f"{window} under way, {what}", sample.figures()


def start(both: Contest) -> Iterator[tuple[str, dict[str, float]]]:
    """Give how long starts take while 500 texts a second are said, and how much memory is used."""
    [filler] = both.speakers(both.cluster.nodes[:1])
    for _ in range(FILLED // 1_000):
        missing = len(filler.say(1_000))
        while missing:
            missing -= len(filler.answered(30))
    filler.close()
    cluster = both.cluster
    cluster.add_users(1, 170.0)
    cluster.wait_for_oks(50)
    node = cluster.nodes[2]
    node.kill()
    yield "kill -9, and started again", {"s": timed(node.start)}
    with cluster.another("fresh") as fresh:
        yield "a fresh node", {"s": timed(fresh.start)}
        rows = lambda: len(fresh.stored().rows) >= FILLED  # noqa: E731
        yield f"{FILLED} messages fetched", {"s": timed(lambda: cluster.wait_for(rows, "rows"))}
        fresh.terminate()
    both.alone.terminate()
    yield "a server alone", {"s": timed(both.alone.start)}
    problems = cluster.check()
    assert problems == [], problems[:5]
    nats = [cluster.nats.pid(index) for index in range(cluster.nats.count)]
    yield "memory of a node", {"MiB": resident_mib(cluster.nodes[0].pid)}
    yield "memory of a server alone", {"MiB": resident_mib(both.alone.pid)}
    yield "memory of a nats-server", {"MiB": max(map(resident_mib, nats))}


def timed(what: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    began = time.monotonic()
    what()
    return time.monotonic() - began


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1_024


def failover(root: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Give the longest time without an `ok`, and without a node, of six users."""
    for scenario in (leader_killed, follower_killed, node_killed, node_terminated):
        folder = root / scenario.__name__
        (folder / "nats").mkdir(parents=True)
        with nats_servers(folder / "nats", 3) as nats, scene(folder, nats, "bench") as cluster:
            figures = scenario(cluster)
            problems = cluster.check()
            assert problems == [], problems[:5]
        shown = {what: figures[what] for what in ("without ok (s)", "away (s)")}
        yield scenario.__name__, {what: float(str(value)) for what, value in shown.items()}


PARTS: dict[str, Callable[[Contest], Iterator[tuple[str, dict[str, float]]]]] = {
    "latency": latency,
    "throughput": throughput,
    "start": start,
}


def main() -> int:
    """Measure what was asked for, and write the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join([*PARTS, "failover"]))
    parser.add_argument(
        "--runs", type=int, default=3, help="number of runs; the figures are medians (3)"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="file for the results")
    options = parser.parse_args()
    asked = options.parts or [*PARTS, "failover"]
    if unknown := set(asked) - {*PARTS, "failover"}:
        parser.error(f"there is no part {unknown.pop()!r}")
    results = json.loads(options.output.read_text()) if options.output.exists() else {}
    for part in asked:
        runs: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                root = Path(folder)
                if part == "failover":
                    collect(failover(root), runs)
                else:
                    with contest(root) as both:
                        collect(PARTS[part](both), runs)
        results[part] = {row: medians(figures) for row, figures in runs.items()}
        results[part] = {"runs": options.runs, "rows": results[part]}
        for row, figures in results[part]["rows"].items():
            print(f"{part:11} {row:40}", "  ".join(f"{k} {v:,.3g}" for k, v in figures.items()))
        sys.stdout.flush()
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def collect(
    rows: Iterator[tuple[str, dict[str, float]]], runs: defaultdict[str, list[dict[str, float]]]
) -> None:
    """Add what one run has given."""
    for row, figures in rows:
        runs[row].append(figures)
        print(".", end="", file=sys.stderr, flush=True)


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure, and the worst of what is a time without an answer."""
    found = {}
    for what in runs[0]:
        values = [run[what] for run in runs]
        found[what] = round(statistics.median(values), 4)
        if what.endswith("(s)"):
            found[f"worst {what}"] = max(values)
    return found


if __name__ == "__main__":
    sys.exit(main())
