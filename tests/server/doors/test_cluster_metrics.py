"""The metrics of a node: which figure each shows, and which nodes have a sample."""

from measured import clustered, figures
from msgspec.structs import replace

from tertulia.server.doors.cluster_metrics import CLUSTER_METRICS

BY_NAME = {metric.name.removeprefix("cluster_"): metric for metric in CLUSTER_METRICS}


def samples(name: str, **more: object) -> dict[str, float]:
    """Return the values of a metric by its labels."""
    metric = BY_NAME[name]
    assert metric.samples is not None
    return dict(metric.samples(clustered(figures(), **more)))


def test_each_figure_is_under_its_own_name():
    different = {
        "link_errors": 6, "connects": 7, "stalls": 8, "holes": 9, "refused": 10, "unreadable": 11,
        "resent": 12, "diverged": 13, "snapshots_sent": 14, "snapshots_fetched": 15,
        "consumers": 16, "batches_under_way": 17,
    }  # fmt: skip
    found = {name: samples(name, **different) for name in BY_NAME}
    assert {name: given[""] for name, given in found.items() if list(given) == [""]} == {
        "serves": 1,
        "connected": 1,
        "place": 9_210,
        "lag_entries": 3,
        "own_word_age_seconds": 0.25,
        "entries_unreadable_total": 11,
        "digests_compared_total": 18,
        "digests_diverged_total": 13,
        "commands_total": 4_000,
        "batches_total": 900,
        "batches_resent_total": 12,
        "batches_refused_total": 10,
        "commands_queued": 2,
        "commands_under_way": 5,
        "batches_under_way": 17,
        "connects_total": 7,
        "consumers_total": 16,
        "holes_total": 9,
        "stalls_total": 8,
        "link_errors_total": 6,
        "snapshots_sent_total": 14,
        "snapshots_fetched_total": 15,
        "letters_sent_total": 70,
        "letters_received_total": 64,
        "direct_messages_on_the_way": 4,
    }


def test_a_node_that_does_not_serve_or_is_not_connected_is_zero():
    assert samples("serves", serves=False) == {"": 0}
    assert samples("connected", is_connected=False) == {"": 0}


def test_what_was_never_counted_is_zero():
    counted = {'{verdict="again"}': 3, '{verdict="early"}': 0, '{verdict="fenced"}': 1}
    assert samples("batches_ignored_total", ignored={"again": 3, "fenced": 1}) == counted
    missing = {'{rows="messages"}': 120, '{rows="visits"}': 0}
    assert samples("history_missing_numbers", missing={"messages": 120}) == missing


def test_a_node_that_has_not_heard_itself_has_no_age_of_its_word():
    assert samples("own_word_age_seconds", own_word_age_s=None) == {}


def test_every_node_has_a_sample_and_only_those_that_are_up_can_be_silent():
    def of(number: int) -> str:
        return f'{{chat="tertulia",node="lab{number}"}}'

    assert samples("node_up") == {of(1): 1, of(2): 1, of(3): 0}
    assert samples("node_silence_seconds") == {of(1): 0.4, of(2): 0.8}


def test_the_names_of_the_chat_and_of_the_nodes_are_quoted():
    names = {"chat": 'a"b', "node": "c\\d\ne"}
    assert samples("info", **names) == {r'{chat="a\"b",node="c\\d\ne"}': 1}
    assert r'{chat="a\"b",node="lab1"}' in samples("node_up", **names)
    [first, *others] = clustered(figures()).cluster.nodes
    odd = [replace(first, name='"'), *others]
    assert r'{chat="tertulia",node="\""}' in samples("node_up", nodes=odd)
