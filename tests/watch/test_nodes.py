"""The nodes of a chat in the view: a row for each, and the own figures in as many as they need."""

import pytest
from measured import cluster_of_three

from tertulia.watch import nodes
from tertulia.watch.figures import ClusterFigures


def rows(width=116, *, is_short=False, **more):
    return nodes.rows(ClusterFigures(cluster_of_three(**more)), width, is_short=is_short)


def texts(found):
    return ["".join(text for text, _style in row) for row in found]


def warnings(found):
    return [text.strip() for row in found for text, style in row if style == "warning"]


def test_each_node_has_a_row_with_its_state_and_its_last_sign_of_life():
    heading, first, own, down, *_ = texts(rows())
    assert heading.split() == ["node", "state", "last", "sign", "up", "at", "entry", "addresses"]
    assert first.split() == ["●", "lab1", "runs", "0.4", "s", "8191", "10.0.0.1:5000"]
    assert own.split() == ["●", "lab2", "(this", "one)", "serves", "0.8", "s", "8192", own[-13:]]
    assert down.split() == ["○", "lab3", "down", "–", "–", "10.0.0.3:5000"]
    starts = {row.index("10.0.0.") for row in (first, own, down)}
    assert starts == {heading.index("addresses")}
    assert nodes.title(cluster_of_three()) == "Nodes of the chat tertulia: 2 of 3 up"


@pytest.mark.parametrize("width", [40, 78, 116, 200])
def test_the_own_figures_take_as_many_rows_as_they_need_and_none_is_cut(width):
    own = texts(rows(width))[4:]
    assert max(map(len, own)) <= width
    text = "  ".join(own)
    for part in ("entry 9210  behind 3  own entry 0.2 s ago", "states that differ 0/18",
                 "ignored: again, early, fenced 3/0/1", "direct on the way 4"):  # fmt: skip
        assert part in text


def test_a_short_screen_shows_how_this_node_is_before_the_others():
    first, *others = texts(rows(78, is_short=True))
    assert first.startswith("entry 9210  behind 3")
    assert [row[2:6] for row in others[:3]] == ["lab1", "lab2", "lab3"]


def test_what_is_wrong_is_marked():
    assert warnings(rows(missing={})) == ["○", "down"]
    found = rows(
        serves=False, is_connected=False, own_word_age_s=7.0, log_end=90_000, diverged=1,
        unreadable=2,
    )  # fmt: skip
    for wrong in ("does not serve", "7.0 s ago", "80.8k", "1/18", "2", "none", "120"):
        assert wrong in warnings(found)
    assert "?" in warnings(rows(own_word_age_s=None))
    assert "5.0 s ago" in warnings(rows(own_word_age_s=5.0))
    assert "4.9 s ago" not in warnings(rows(own_word_age_s=4.9))
