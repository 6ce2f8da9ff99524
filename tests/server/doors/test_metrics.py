"""Every metric: which figure it shows, with which labels, and what it shows if there is none."""

import re
from pathlib import Path

import pytest
from measured import figures
from msgspec.structs import replace

from tertulia.protocol.measures import Measures
from tertulia.protocol.messages import ErrorCode
from tertulia.server.doors.cluster_metrics import CLUSTER_METRICS
from tertulia.server.doors.metrics import METRICS

BY_NAME = {metric.name: metric for metric in METRICS}


def samples(name: str, measures: Measures) -> dict[str, float]:
    """Return the values of a metric by its labels."""
    metric = BY_NAME[name]
    assert metric.samples is not None
    found = list(metric.samples(measures))
    assert len(dict(found)) == len(found), "each sample comes once"
    return dict(found)


def labels(name: str, measures: Measures) -> set[str]:
    """Return the values of the only label of a metric."""
    texts = [re.fullmatch(r'\{\w+="(\w+)"\}', text) for text in samples(name, measures)]
    return {text[1] for text in texts if text is not None}


# --- all of them ---------------------------------------------------------------------------------


def test_names_have_units_and_counters_end_as_prometheus_wants_it():
    for metric in METRICS + CLUSTER_METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        if metric.kind == "histogram":
            assert metric.name.endswith("_seconds")


def test_a_metric_has_either_samples_or_latencies():
    for metric in METRICS + CLUSTER_METRICS:
        assert (metric.samples is None) == (metric.kind == "histogram"), metric.name
        assert (metric.latencies is None) == (metric.kind != "histogram"), metric.name


def test_every_metric_is_in_the_documentation():
    pages = Path(__file__).parents[3] / "docs" / "operations.md"
    text = pages.read_text(encoding="utf-8")
    metrics = METRICS + CLUSTER_METRICS
    missing = [metric.name for metric in metrics if f"`{metric.name}" not in text]
    assert missing == []


# --- figures without labels ----------------------------------------------------------------------


def test_each_figure_is_under_its_own_name():
    found = {metric.name: samples(metric.name, figures()) for metric in METRICS if metric.samples}
    assert {name: given[""] for name, given in found.items() if list(given) == [""]} == {
        "healthy": 1,
        "process_start_time_seconds": 4.5,
        "process_restarts_total": 3,
        "process_cpu_seconds_total": 6.5,
        "process_resident_memory_bytes": 7,
        "process_virtual_memory_bytes": 8,
        "process_open_fds": 9,
        "process_max_fds": 10,
        "tls_connections": 23,
        "slow_consumers": 24,
        "connections_accepted_total": 26,
        "sessions_begun_total": 27,
        "slow_closes_total": 37,
        "requests_total": 28,
        "messages_total": 30,
        "direct_messages_total": 31,
        "events_total": 29,
        "deliveries_total": 32,
        "received_bytes_total": 33,
        "sent_bytes_total": 34,
        "gaps_total": 35,
        "faults_total": 36,
        "mailbox_length": 54,
        "mailbox_longest": 55,
        "log_queue_length": 56,
        "turned_away": 25,
        "event_log_events": 43,
        "event_log_bytes": 44,
        "history_commits_failed_total": 51,
        "history_messages_stored_total": 52,
        "history_last_commit_timestamp_seconds": 946.5,
        "history_queue_length": 47,
        "history_queue_limit": 48,
        "history_questions": 49,
        "history_size_bytes": 46,
    }


def test_the_histograms_have_the_latencies_of_their_names():
    measures = figures()
    found = {m.name: m.latencies(measures) for m in METRICS if m.latencies is not None}
    assert found == {
        "say_to_last_send_seconds": measures.say_to_last_send,
        "history_commit_seconds": measures.commit,
    }


def test_a_server_with_a_problem_is_not_healthy():
    assert samples("healthy", figures(problem="worker-1 has not finished")) == {"": 0}


def test_what_was_never_counted_is_zero():
    measures = figures(log_lines=None)
    measures = replace(measures, traffic=replace(measures.traffic, left={}))
    assert samples("log_queue_length", measures) == {"": 0}
    assert samples("slow_closes_total", measures) == {"": 0}
    measures = replace(measures, history=replace(measures.history, queue=0))
    assert samples("history_queue_length", measures) == {"": 0}


def test_without_a_history_its_metrics_have_no_samples():
    measures = figures(history=None)
    of_history = [name for name in BY_NAME if name.startswith("history_")]
    assert len(of_history) == 8
    for name in of_history:
        if name != "history_commit_seconds":
            assert samples(name, measures) == {}, name


def test_before_the_first_commit_it_has_no_time():
    measures = figures()
    measures = replace(measures, history=replace(measures.history, last_commit_age_s=None))
    assert samples("history_last_commit_timestamp_seconds", measures) == {}
    assert samples("history_queue_length", measures) == {"": 47}


# --- figures with labels -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("build_info", {'{version="0.1.0",python="3.11.7"}': 1}),
        ("threads", {'{role="main"}': 14}),
        ("thread_cpu_seconds_total", {'{role="main"}': 15.5}),
        (
            "thread_context_switches_total",
            {'{role="main",kind="voluntary"}': 16, '{role="main",kind="involuntary"}': 17},
        ),
        ("connections", {'{door="web",state="registered"}': 22}),
        (
            "sessions",
            {'{status="ACTIVO"}': 19, '{status="OCUPADO"}': 0, '{status="INACTIVO"}': 20},
        ),
        (
            "rate_limited_total",
            {'{limit="requests"}': 0, '{limit="registrations"}': 0, '{limit="hooks"}': 41},
        ),
    ],
)
def test_every_value_of_a_label_has_a_sample(name, expected):
    assert samples(name, figures()) == expected


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("sessions_ended_total", {'{reason="slow"}': 37, '{reason="quit"}': 38}),
        ("requests_refused_total", {'{code="malformed"}': 40}),
        ("connections_refused_total", {'{code="tls_failed"}': 39}),
    ],
)
def test_all_that_could_be_counted_is_zero_until_it_was(name, counted):
    found = samples(name, figures())
    assert {text: value for text, value in found.items() if value} == counted
    assert len(found) > 5


def test_only_what_can_happen_is_counted():
    measures = figures()
    codes = {code.value for code in ErrorCode}
    assert labels("requests_refused_total", measures) == codes
    more = {"address_denied", "no_proxy_header", "tls_failed"}
    assert labels("connections_refused_total", measures) == codes | more
    assert labels("sessions_ended_total", measures) == {
        *("quit", "lost", "timeout", "slow", "flood", "protocol", "kicked", "replaced", "shutdown")
    }
