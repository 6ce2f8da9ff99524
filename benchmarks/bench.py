"""Compare tertulia with other servers, each alone on one core, with the load on another core.

    python benchmarks/bench.py                                  # everything: about an hour
    python benchmarks/bench.py --quick                          # one short run of everything
    python benchmarks/bench.py fanout paced --servers tertulia,inspircd,limit --runs 1
    python benchmarks/bench.py fanout direct --before ../old    # with an earlier checkout

The servers take turns, so that a noisy moment of the machine affects all of them. Each figure is
the median of its runs. README.md explains how to read the results.
"""

import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from report import write_report
from servers import Peer, all_servers, build, running, version_of
from workloads import WORKLOADS, Figures, LoadReport, Options, Workload

RESULTS = Path(__file__).parent / "results"
DESCRIPTORS = 65_536
LOAD_CORE = 1
LOAD_TIMEOUT_S = 400.0
QUICK_MEASURE_S = 1.0
WARM_UP_SHARE = 0.2
DISTURBING = 0.25  # share of a core that others used; up to 0.2 is the kernel, for the network


class Failure(Exception):
    """A server did not do what the workload requires; the text explains what went wrong."""


def main() -> int:
    """Run the benchmarks that the command line asks for and return the exit status."""
    options = parse_options()
    if shutil.which("cc") is None or shutil.which("taskset") is None:
        print("benchmarks need cc and taskset (Debian: gcc, util-linux)", file=sys.stderr)
        return 1
    if (os.cpu_count() or 1) <= LOAD_CORE:
        print("benchmarks need two cores: one for the server, one for the load", file=sys.stderr)
        return 1
    raise_descriptor_limit()
    results: dict[str, dict[str, list[Figures]]] = {}
    failures: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as built:
        build(Path(built))
        servers = all_servers(Path(built), options.before)
        for name in options.workloads:
            results[name], failures[name] = measure_all(name, options, servers, Path(built))
        taking_part = {peer for name in results for peer in results[name]}
        versions = {name: version_of(servers[name]) for name in sorted(taking_part)}
    write_report(options.output, results, failures, describe_machine(), versions)
    print(f"written: {options.output}")
    return any(failures[name] for name in failures)


def parse_options() -> argparse.Namespace:
    """Parse the command line; exit with a usage error if it is not valid."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", help="names or groups of workloads (default: all)")
    parser.add_argument(
        "--servers", help="names of servers, with commas (default: all that a workload has)"
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="number of runs; the figures are medians (3)"
    )
    parser.add_argument(
        "--retries", type=int, default=0, help="most repetitions if other programs are busy (0)"
    )
    parser.add_argument("--seconds", type=float, help="length of a measurement (default: its own)")
    parser.add_argument("--quick", action="store_true", help="one short run of everything")
    parser.add_argument(
        "--before", type=Path, help="another checkout to compare with; it needs a .venv"
    )
    parser.add_argument("--output", type=Path, help="directory of the results (benchmarks/results)")
    parser.add_argument("--list", action="store_true", help="show the workloads and exit")
    options = parser.parse_args()
    if options.list:
        for name, workload in WORKLOADS.items():
            print(f"{name:22} {' '.join(workload.servers)}")
        parser.exit()
    for asked in options.workloads:
        if not any(asked in (name, workload.group) for name, workload in WORKLOADS.items()):
            parser.error(f"no workload or group {asked!r}: see --list")
    options.workloads = [
        name
        for name, workload in WORKLOADS.items()
        if not options.workloads or {name, workload.group} & set(options.workloads)
    ]
    if options.servers:
        options.servers = options.servers.split(",")
        if unknown := set(options.servers) - set(all_servers(Path())):
            parser.error(f"no server {unknown.pop()!r}: see --list")
    if options.before and not options.servers:
        options.servers = ["before", "tertulia"]
    if options.quick:
        options.runs, options.seconds = 1, options.seconds or QUICK_MEASURE_S
    if options.output is None:
        options.output = RESULTS / "quick" if options.quick else RESULTS
    return options


def raise_descriptor_limit() -> None:
    """Raise the limit of open files as far as possible; the servers inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # only root may raise the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, max(hard, DESCRIPTORS)))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def measure_all(
    name: str, options: argparse.Namespace, servers: dict[str, Peer], built: Path
) -> tuple[dict[str, list[Figures]], dict[str, str]]:
    """Measure one workload with all servers in turn; return the figures and the failures."""
    workload = WORKLOADS[name]
    results: dict[str, list[Figures]] = {}
    failures: dict[str, str] = {}
    asked = list(options.servers or workload.servers)
    for peer in [peer for peer in asked if servers[peer].program is None]:
        asked.remove(peer)
        print(f"{name:22} {peer:17} left out: not installed, or without WebSocket", flush=True)
    for _ in range(options.runs):
        for peer in asked:
            if peer in failures:
                continue
            try:
                figures = measure_undisturbed(workload, servers[peer], built, options)
            except Failure as failure:
                failures[peer] = str(failure)
                results.pop(peer, None)
                print(f"{name:22} {peer:17} FAILED: {failure}", flush=True)
            else:
                results.setdefault(peer, []).append(figures)
                shown = "  ".join(f"{key} {value:,.3g}" for key, value in figures.items())
                print(f"{name:22} {peer:17} {shown}", flush=True)
    return results, failures


def measure_undisturbed(
    workload: Workload, peer: Peer, built: Path, options: argparse.Namespace
) -> Figures:
    """Measure, again if other programs were busy; return the least disturbed. Raises Failure."""
    least: Figures = {}
    for _ in range(1 + options.retries):
        figures = measure(workload, peer, built, options.seconds)
        if not least or figures["others"] < least["others"]:
            least = figures
        if least["others"] <= DISTURBING:
            break
    return least


def measure(workload: Workload, peer: Peer, built: Path, seconds: float | None) -> Figures:
    """Start a server, run one workload against it, and stop it. Raises Failure."""
    measure_ms = 1000 * (seconds or workload.measure_s)
    options: Options = {
        "protocol": peer.protocol,
        "measure_ms": int(measure_ms),
        "warmup_ms": int(WARM_UP_SHARE * measure_ms),
        **workload.options,
    }
    with tempfile.TemporaryDirectory(prefix="bench-server-") as directory:
        try:
            with running(peer, Path(directory), workload.cores) as (pid, port):
                options |= {"pid": pid, "port": port}
                report = run_load(built / "load", options, peer.load)
                return workload.figures(report) | {"others": report["others"]}
        except (RuntimeError, OSError) as error:
            raise Failure(str(error)) from error


def run_load(
    program: Path, options: dict[str, str | int], more: tuple[str, ...] = ()
) -> LoadReport:
    """Run the load generator on its core and return its report. Raises Failure."""
    asked = [f"{name}={value}" for name, value in options.items()]
    command = ["taskset", "--cpu-list", str(LOAD_CORE), str(program), *asked, *more]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LOAD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Failure(f"took longer than {LOAD_TIMEOUT_S:.0f} s") from error
    if not done.stdout:
        raise Failure(done.stderr.strip()[-300:])
    report: LoadReport = json.loads(done.stdout)
    faults = [
        f"{report[fault]} {fault}" for fault in ("lost", "twice", "disordered") if report[fault]
    ]
    if faults:
        raise Failure(", ".join(faults))
    return report


def describe_machine() -> dict[str, str]:
    """Return the properties of the machine that the figures depend on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    control = Path("/proc/sys/net/ipv4/tcp_congestion_control")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "TCP congestion control": control.read_text().strip() if control.exists() else "unknown",
        "Python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
