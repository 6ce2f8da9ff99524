"""The results as files: every run (JSON), the table and the goals (Markdown), and a plot (PNG).

A workload that is measured again replaces what it had; the others stay.
"""

import json
from pathlib import Path
from typing import Any

from goals import GOALS, Results, median
from workloads import BUSY, WORKLOADS

TITLES = {
    "per_s": "a second",
    "cpu_per_million_s": "CPU s for a million",
    "switches_per_s": "switches/s",
    "server_busy": "server busy",
    "busy": "load busy",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "p999_ms": "p99.9 ms",
    "max_ms": "worst ms",
    "max_ms_burst": "worst in the burst ms",
    "cpu_percent": "CPU % of a core",
    "cpu_each_ms": "CPU ms for each",
    "resident_each_kb": "resident KB for each",
}
COMPARED = ("per_s", "cpu_per_million_s", "p50_ms", "p99_ms", "cpu_percent", "resident_each_kb")
REFERENCES = {"limit": "of the limit", "inspircd": "of InspIRCd"}
PLOTTED = (
    ("64 in flight: deliveries/s, of the limit's", "fanout-{}-64", "per_s", True),
    ("64 in flight: CPU s for a million deliveries", "fanout-{}-64", "cpu_per_million_s", False),
    ("1 in flight: deliveries/s, of the limit's", "fanout-{}-1", "per_s", True),
    ("1 in flight: CPU s for a million deliveries", "fanout-{}-1", "cpu_per_million_s", False),
)
RECEIVERS = (10, 100, 1_000, 5_000)

Record = dict[str, Any]  # what runs.json holds


def write_report(
    directory: Path,
    results: Results,
    failures: dict[str, dict[str, str]],
    machine: dict[str, str],
    versions: dict[str, str],
) -> None:
    """Add what was measured to the directory's runs, and write table and plot anew."""
    directory.mkdir(parents=True, exist_ok=True)
    runs_file = directory / "runs.json"
    record: Record = {"workloads": {}, "failures": {}, "machine": {}, "versions": {}}
    if runs_file.exists():
        record = json.loads(runs_file.read_text())
    record["workloads"].update(results)
    record["failures"].update(failures)
    record["machine"] = machine
    record["versions"].update(versions)
    runs_file.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    (directory / "table.md").write_text(as_markdown(record))
    plot(record["workloads"], directory / "plot.png")


def as_markdown(record: Record) -> str:
    """Write the goals and a table for each workload."""
    lines = ["# Results", "", *(f"- {key}: {value}" for key, value in record["machine"].items())]
    versions = sorted({version for version in record["versions"].values() if version})
    lines += [f"- measured: {'; '.join(versions)}", ""]
    lines += ["Only ratios within a table are to be quoted. `*`: the load generator was more than"]
    lines += [f"{BUSY:.0%} busy, so that the figure is its limit; then the CPU is what counts.", ""]
    lines += goals_table(record["workloads"])
    for name in WORKLOADS:
        if name in record["workloads"]:
            lines += workload_table(name, record["workloads"], record["failures"].get(name, {}))
    return "\n".join(lines).rstrip() + "\n"


def goals_table(results: Results) -> list[str]:
    """Set what was reached beside what has to be."""
    rows = []
    for goal in GOALS:
        value = goal.reached(results)
        if value is not None:
            verdict = "yes" if goal.is_met(value) else "**no**"
            who = "" if goal.server == "tertulia" else f" ({goal.server})"
            rows.append(f"| {goal.workload}{who} | {goal} | {value:.2f} | {verdict} |")
    if not rows:
        return []
    return [
        "## Goals",
        "",
        "| workload | goal | reached | met |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
    ]


def workload_table(name: str, results: Results, failures: dict[str, str]) -> list[str]:
    """Show the medians of one workload, and their ratios to the references."""
    servers = results[name]
    lines = [f"## {name}", ""]
    if servers:
        figures = list(next(iter(servers.values()))[0])
        references = [peer for peer in REFERENCES if peer in servers]
        heads = ["server"]
        for figure in figures:
            heads.append(TITLES[figure])
            if figure in COMPARED:
                heads += [REFERENCES[peer] for peer in references]
        lines += [row(heads), row(["---"] * len(heads))]
        for server in servers:
            lines.append(row([server, *cells(name, server, figures, references, results)]))
        lines.append("")
    lines += [f"- {server}: {reason}" for server, reason in sorted(failures.items())]
    return [*lines, ""] if failures else lines


def cells(
    name: str, server: str, figures: list[str], references: list[str], results: Results
) -> list[str]:
    """Show the figures of one server."""
    found = []
    for figure in figures:
        value = median(results, name, server, figure) or 0.0
        mark = "*" if figure == "busy" and value > BUSY else ""
        found.append(f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}{mark}")
        if figure in COMPARED:
            for peer in references:
                other = median(results, name, peer, figure)
                found.append(f"{value / other:.2f}" if other else "-")
    return found


def row(values: list[str]) -> str:
    """Write one row of a table."""
    return f"| {' | '.join(values)} |"


def plot(results: Results, target: Path) -> None:
    """Draw how deliveries and their cost grow with the receivers, if there is matplotlib."""
    try:
        import matplotlib
    except ImportError:
        print("no plot: there is no matplotlib (make bench installs it)")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    fanouts = [results[name] for name in results if WORKLOADS[name].group == "fanout"]
    servers = sorted({server for measured in fanouts for server in measured})
    colours = [matplotlib.colormaps["tab20"](number) for number in range(20)]
    figure, axes = pyplot.subplots(2, 2, figsize=(13, 9), layout="constrained")
    for axis, (title, pattern, key, to_limit) in zip(axes.flat, PLOTTED, strict=True):
        curves = {server: curve(results, pattern, key, server, to_limit) for server in servers}
        for (server, points), colour in zip(curves.items(), colours, strict=False):
            style = {"color": colour, "linewidth": 2.5 if server.startswith("tertulia") else 1.2}
            axis.plot([x for x, _ in points], [y for _, y in points], "o-", label=server, **style)
        axis.set_title(title)
        if any(curves.values()):
            axis.set_xscale("log")
            axis.set_yscale("linear" if to_limit else "log")
        axis.set_xlabel("receivers")
        axis.grid(visible=True, alpha=0.3)
    if servers:
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(target, dpi=110)
    pyplot.close(figure)


def curve(
    results: Results, pattern: str, key: str, server: str, to_limit: bool
) -> list[tuple[int, float]]:
    """List a server's figure for each number of receivers, as it is or against the limit's."""
    points = []
    for size in RECEIVERS:
        value = median(results, pattern.format(size), server, key)
        limit = median(results, pattern.format(size), "limit", key) if to_limit else 1.0
        if value and limit:
            points.append((size, value / limit))
    return points
