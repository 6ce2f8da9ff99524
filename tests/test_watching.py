"""The dashboard and the alerts ask for metrics and labels that the server has."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from measured import clustered, measured
from prometheus_client.parser import text_string_to_metric_families

from tertulia.server.doors.cluster_metrics import CLUSTER_METRICS
from tertulia.server.doors.exposition import expose, metric_names
from tertulia.server.doors.metrics import METRICS

PACKAGING = Path(__file__).parents[1] / "packaging"
DASHBOARD, RULES = PACKAGING / "grafana-dashboard.json", PACKAGING / "alert-rules.yml"
NAME = re.compile(r"\b(?!tertulia\b)(?:tertulia_\w+|up)\b(?=[{\[ )]|$)")
SELECTOR = re.compile(r"(tertulia_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~?)"([^"]*)"')
OF_PROMETHEUS = {"instance", "job", "le"}  # labels that the server does not give


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """Return, by the name of a sample, the values of each of its labels."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    measures = measured(tmp_path_factory.mktemp("history") / "history.db")
    for family in text_string_to_metric_families(expose(clustered(measures)).decode()):
        for sample in family.samples:
            for label, value in sample.labels.items():
                found[sample.name][label].add(value)
    return found


def dashboard_targets() -> list[tuple[str, str]]:
    """Return each expression of the dashboard with its legend."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [(one["expr"], one["legendFormat"]) for panel in panels for one in panel["targets"]]


def rules() -> dict[str, str]:
    """Return the expression of each alert. It stands in one line, or in those that are indented."""
    found = {}
    for rule in re.split(r"\n      - alert: ", RULES.read_text(encoding="utf-8"))[1:]:
        expression = re.search(r"\n        expr: (?:>-)?((?:.|\n          )+)", rule)
        assert expression is not None, rule
        found[rule.partition("\n")[0]] = " ".join(expression[1].split())
    return found


ALL_NAMES = metric_names(METRICS + CLUSTER_METRICS)
EXPRESSIONS = [*(expression for expression, _ in dashboard_targets()), *rules().values()]


def test_every_expression_asks_for_names_that_there_are():
    for expression in EXPRESSIONS:
        names = set(NAME.findall(expression))
        assert names, expression
        assert names <= ALL_NAMES | {"up"}, expression
        assert expression.count("(") == expression.count(")"), expression


def test_every_expression_asks_for_values_that_labels_have(labels):
    for expression in EXPRESSIONS:
        for name, matchers in SELECTOR.findall(expression):
            for label, operator, value in MATCHER.findall(matchers):
                if label in OF_PROMETHEUS:
                    continue
                values = {value} if operator == "=" else set(value.split("|"))
                assert values <= labels[name][label], (expression, label)


def test_a_legend_shows_labels_that_the_metric_has(labels):
    for expression, legend in dashboard_targets():
        wanted = set(re.findall(r"\{\{(\w+)\}\}", legend))
        for name in NAME.findall(expression):
            assert wanted <= set(labels[name]), (expression, legend)


def test_every_metric_is_on_the_dashboard_or_in_an_alert():
    asked = {name for expression in EXPRESSIONS for name in NAME.findall(expression)}
    seldom = {
        # The counters of what the alerts and the panels show in another way.
        *("tertulia_say_to_last_send_seconds_sum", "tertulia_say_to_last_send_seconds_count"),
        *("tertulia_history_commit_seconds_sum", "tertulia_history_commit_seconds_count"),
        *("tertulia_sessions_begun_total", "tertulia_process_cpu_seconds_total"),
        *("tertulia_process_virtual_memory_bytes", "tertulia_event_log_events"),
    }
    assert ALL_NAMES - asked == seldom


def test_panels_do_not_lie_on_each_other():
    taken = set()
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_what_is_wrong_and_what_it_means():
    text = RULES.read_text(encoding="utf-8")
    count = len(rules())
    assert count == len(re.findall(r"^ {10}summary: .", text, re.MULTILINE))
    assert count == len(re.findall(r"^ {10}description: .", text, re.MULTILINE))
    assert count == len(re.findall(r"^ {10}severity: (?:critical|warning)$", text, re.MULTILINE))
