"""The threads as a table: its orders, and its columns in every width."""

import pytest
from seen import figures, thread

from tertulia.i18n import set_language
from tertulia.watch.figures import Waiting
from tertulia.watch.table import COLUMNS, ORDERS, columns_in, heading, ordered, rows


def test_by_kind_the_threads_stand_in_the_order_of_a_message_and_numbers_as_numbers():
    names = [one.name for one in ordered(figures(workers=11).threads, ORDERS[0])]
    assert names == [
        *("main", "acceptor", *(f"worker-{number}" for number in range(1, 12))),
        *("console", "history-reader", "history-writer", "log"),
    ]


@pytest.mark.parametrize("order", ORDERS[1:], ids=lambda order: order.title)
def test_in_the_other_orders_the_most_comes_first_and_what_is_unknown_last(order):
    unknown = thread(
        "other", "other", 1, Waiting.UNKNOWN, cpu=None, voluntary=None, involuntary=None
    )
    found = ordered([unknown, *figures().threads], order)
    keys = [order.key(one) for one in found]
    assert keys == sorted(keys, reverse=True)
    assert keys[0] > 0


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("width", [56, 66, 77, 116])
def test_heading_and_rows_have_the_same_columns_and_fit(lang, width):
    set_language(lang)
    head = "".join(text for text, _style in heading(width))
    lines = ["".join(text for text, _style in row.runs) for row in rows(figures().threads, width)]
    assert {len(line) for line in [head, *lines]} == {len(head)}
    assert len(head) <= width


def test_the_column_of_the_roles_has_its_least_width_or_is_left_out():
    found = set()
    for width in range(56, 140):
        runs = rows(figures().threads, width)[2].runs
        if runs[1][1] == "faint":
            found.add(len(runs[1][0]) - 1)
    assert found == set(range(24, 31))


def test_a_narrow_table_leaves_out_columns_but_not_the_context_switches():
    titles = [column.title for column in columns_in(50)]
    assert "vol/s" in titles
    assert "inv/s" in titles
    for column in COLUMNS:
        assert column in columns_in(column.least)
        assert not column.least or column not in columns_in(column.least - 1)
    assert len(columns_in(116)) == len(COLUMNS)
    assert "reads, decides, sends" in rows(figures().threads, 116)[2].runs[1][0]
