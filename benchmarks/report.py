"""Writes the results: every run (JSON), the tables and the goals (Markdown), and a plot (PNG).

The new results of a workload replace its previous ones. The results of other workloads stay.
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
    "others": "others busy",
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
WEB_REFERENCES = {"tertulia": "of native"}
PLOTTED = (
    ("64 in flight: deliveries/s, of the limit's", "fanout-{}-64", "per_s", True),
    ("64 in flight: CPU s for a million deliveries", "fanout-{}-64", "cpu_per_million_s", False),
    ("1 in flight: deliveries/s, of the limit's", "fanout-{}-1", "per_s", True),
    ("1 in flight: CPU s for a million deliveries", "fanout-{}-1", "cpu_per_million_s", False),
)
RECEIVERS = (10, 100, 1_000, 5_000)

Record = dict[str, Any]  # the content of runs.json


def write_report(
    directory: Path,
    results: Results,
    failures: dict[str, dict[str, str]],
    machine: dict[str, str],
    versions: dict[str, str],
) -> None:
    """Add new results to the runs in the directory, and write its table and plot again."""
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
    """Return the goals and a table for each workload as Markdown."""
    lines = ["# Results", "", *(f"- {key}: {value}" for key, value in record["machine"].items())]
    versions = sorted({version for version in record["versions"].values() if version})
    lines += [f"- measured: {'; '.join(versions)}", ""]
    lines += ["Quote only ratios within a table. `*` means that the load generator was more than"]
    lines += [f"{BUSY:.0%} busy, so the figure is its limit: compare the CPU instead.", ""]
    lines += goals_table(record["workloads"])
    for name in WORKLOADS:
        if name in record["workloads"]:
            lines += workload_table(name, record["workloads"], record["failures"].get(name, {}))
    return "\n".join(lines).rstrip() + "\n"


def goals_table(results: Results) -> list[str]:
    """Return a table of the goals and the values reached."""
    rows = []
    for goal in GOALS:
        value = goal.reached(results)
        if value is not None:
            verdict = "yes" if goal.is_met(value) else "**no**"
            variant = "" if goal.server == "tertulia" else f" ({goal.server})"
            rows.append(f"| {goal.workload}{variant} | {goal} | {value:.2f} | {verdict} |")
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
    """Return a table of the medians of one workload and their ratios to the references."""
    servers = results[name]
    lines = [f"## {name}", ""]
    if servers:
        figures = list(next(iter(servers.values()))[0])
        titles = WEB_REFERENCES if WORKLOADS[name].group == "web" else REFERENCES
        references = {peer: title for peer, title in titles.items() if peer in servers}
        heads = ["server"]
        for figure in figures:
            heads.append(TITLES[figure])
            if figure in COMPARED:
                heads += references.values()
        lines += [row(heads), row(["---"] * len(heads))]
        for server in servers:
            lines.append(row([server, *cells(name, server, figures, list(references), results)]))
        lines.append("")
    lines += [f"- {server}: {reason}" for server, reason in sorted(failures.items())]
    return [*lines, ""] if failures else lines


def cells(
    name: str, server: str, figures: list[str], references: list[str], results: Results
) -> list[str]:
    """Return the cells with the figures of one server."""
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
    """Return one row of a table."""
    return f"| {' | '.join(values)} |"


def plot(results: Results, target: Path) -> None:
    """Plot the deliveries and their cost by the number of receivers, if matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        print("no plot: matplotlib is not installed (make bench installs it)")
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
    """Return a server's figure for each number of receivers, or its ratio to that of the limit."""
    points = []
    for size in RECEIVERS:
        value = median(results, pattern.format(size), server, key)
        limit = median(results, pattern.format(size), "limit", key) if to_limit else 1.0
        if value and limit:
            points.append((size, value / limit))
    return points
