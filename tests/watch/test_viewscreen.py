"""The screen of the view: which panes it shows, how large, and what the user chooses in them."""

import msgspec
import pytest
from measured import cluster_of_three
from seen import figures
from textual.widgets import Static
from view import View, shown_on_a_screen, view_of

from tertulia.watch.asking import NotSeen
from tertulia.watch.figures import ClusterFigures
from tertulia.watch.minute import SERIES
from tertulia.watch.table import ORDERS
from tertulia.watch.viewscreen import ViewScreen
from tertulia.watch.widgets import FiguresPane, ThreadList, TitleLine

pytestmark = pytest.mark.long


def look_in_vain():
    raise NotSeen("no server")


def cluster_of(count: int) -> ClusterFigures:
    """Return the figures of a node of many."""
    one = cluster_of_three().nodes[0]
    nodes = [msgspec.structs.replace(one, name=f"lab{number}") for number in range(count)]
    return ClusterFigures(cluster_of_three(nodes=nodes))


def about(view: View) -> str:
    """Return the sentence about the chosen thread."""
    return str(view.app.view.query_one("#about", Static).content)


@shown_on_a_screen
async def test_before_the_first_figures_the_panes_are_empty_and_the_keys_do_no_harm():
    async with view_of(look_in_vain) as view:
        await view.press("s", "g", "down")
        assert "Processes" in view.shown
        assert "PID" not in view.shown
        assert not view.app.view.query_one("#nodes").display
        assert about(view) == ""


@shown_on_a_screen
async def test_the_picture_moves_with_the_figures_and_without_a_server_the_last_ones_stay():
    async with view_of(figures) as view:
        first = view.rows[:7]
        view.app.view.show(figures())
        await view.settle()
        second = view.rows[:7]
        assert second != first
        assert "100 events/s" in view.shown
        view.app.view.show(None)
        await view.settle()
        assert view.rows[:7] == second
        assert "? events/s" in view.shown


@pytest.mark.parametrize(
    ("is_lost", "serves", "is_ill"),
    [(False, True, False), (False, False, True), (True, True, True)],
)
@shown_on_a_screen
async def test_a_server_that_is_lost_or_does_not_serve_is_marked(is_lost, serves, is_ill):
    async with view_of(figures) as view:
        screen = view.app.view
        screen.show_state("port 5000", "1.2.3", "here", is_lost=is_lost, serves=serves)
        assert screen.query_one(TitleLine).has_class("-ill") is is_ill
        assert screen.has_class("-lost") is is_lost


@shown_on_a_screen
async def test_after_the_last_order_of_the_threads_comes_the_first_one():
    async with view_of(figures) as view:
        await view.press("down", "down")
        for order in (*ORDERS[1:], ORDERS[0]):
            await view.press("s")
            assert f"Threads (10), {order.title} " in view.shown
        threads = view.app.view.query_one(ThreadList)
        assert threads.highlighted == threads.rows[0].key


@shown_on_a_screen
async def test_after_the_last_figure_of_the_graph_comes_the_first_one():
    async with view_of(figures) as view:
        for series in (*SERIES[1:], SERIES[0]):
            await view.press("g")
            assert f" {series.title} " in view.rows[9]


@shown_on_a_screen
async def test_the_nodes_get_the_rows_they_need_but_at_most_half_of_those_that_are_left():
    async with view_of(lambda: figures(cluster=cluster_of(3)), (116, 60)) as view:
        pane = view.app.view.query_one("#nodes")
        await view.settle()
        assert pane.outer_size.height == 2 + 7
        assert "lab2" in view.shown
        view.app.view.show(figures(cluster=cluster_of(30)))
        await view.settle()
        for size, height in (((116, 42), 2 + 10), ((116, 30), 2 + 4), ((80, 24), 1 + 4)):
            await view.pilot.resize_terminal(*size)
            await view.settle()
            assert pane.outer_size.height == height


@shown_on_a_screen
async def test_on_a_tiny_screen_the_nodes_have_two_rows():
    async with view_of(lambda: figures(cluster=cluster_of(30)), (80, 16)) as view:
        assert view.app.view.query_one("#nodes").outer_size.height == 1 + 2


@shown_on_a_screen
async def test_a_server_alone_has_no_nodes():
    async with view_of(figures) as view:
        pane = view.app.view.query_one("#nodes", FiguresPane)
        assert not pane.display
        view.app.view.show(figures(cluster=cluster_of(3)))
        assert pane.display
        assert pane.title == "Nodes of the chat tertulia: 3 of 3 up"
        view.app.view.show(figures())
        assert not pane.display


@shown_on_a_screen
async def test_the_layout_changes_with_the_size_of_the_terminal():
    async with view_of(figures, (75, 29)) as view:
        for size, names in (
            ((75, 29), {"-tiny", "-short"}),
            ((76, 30), {"-narrow", "-tall"}),
            ((99, 30), {"-narrow", "-tall"}),
            ((100, 30), {"-wide", "-tall"}),
        ):
            await view.pilot.resize_terminal(*size)
            await view.settle()
            assert names <= set(view.app.view.classes)


@shown_on_a_screen
async def test_the_sentence_is_about_the_highlighted_thread_and_empty_without_threads():
    async with view_of(figures) as view:
        assert about(view).startswith("main (TID 4711")
        await view.press("down")
        assert about(view).startswith("acceptor (TID 4712")
        view.app.view.show(figures(threads=[]))
        assert about(view) == ""


@shown_on_a_screen
async def test_a_thread_that_is_clicked_is_explained():
    async with view_of(figures) as view:
        await view.pilot.click("#threads-list", offset=(5, 2))
        await view.settle()
        assert about(view).startswith("worker-1 (TID 4713")


@shown_on_a_screen
async def test_lines_fit_their_pane_also_if_that_gets_its_size_after_the_screen(monkeypatch):
    monkeypatch.setattr(ViewScreen, "on_resize", lambda _self: None)  # as if it came too early
    seen = figures(cluster=ClusterFigures(cluster_of_three(), 104.0, 52.0))
    async with view_of(lambda: seen, (120, 36)) as view:
        await view.pilot.resize_terminal(80, 24)
        await view.settle()
        shown = view.shown
        view.app.view._paint()
        await view.settle()
        assert view.shown == shown
