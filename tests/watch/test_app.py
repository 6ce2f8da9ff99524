"""The keys of the view, and what it shows when its server stops and comes back."""

from types import SimpleNamespace

import msgspec
import pytest
from measured import cluster_of_three
from seen import figures
from view import shown_on_a_screen, view_of

from tertulia.tui.terminal.abilities import Abilities, Colours
from tertulia.watch import app
from tertulia.watch.asking import NotSeen
from tertulia.watch.figures import ClusterFigures
from tertulia.watch.widgets import Explanation


class Server:
    """A server that can stop; `looks` counts how often it was looked at."""

    def __init__(self) -> None:
        self.now = figures()
        self.problem = ""
        self.looks = 0

    def look(self):
        self.looks += 1
        if self.problem:
            raise NotSeen(self.problem)
        return self.now


@shown_on_a_screen
async def test_the_threads_are_sorted_moved_through_and_explained():
    async with view_of(Server().look) as view:
        await view.look()
        assert "main (TID 4711, start, orderly stop): waits for a signal" in view.shown
        await view.press("down", "down")
        assert "worker-1 (TID 4713, reads, decides, sends): it runs, or is ready" in view.shown
        await view.press("s")
        assert "Threads (10), by CPU" in view.shown
        names = [row[2:10] for row in view.rows[19:23]]
        assert names == ["worker-4", "worker-3", "worker-2", "worker-1"]
        assert "worker-4 (TID 4716" in view.shown, "the first one is chosen"
        await view.press("g")
        assert "10.0k deliveries/s" in view.shown


@shown_on_a_screen
async def test_a_thousand_threads_can_be_scrolled_through():
    server = Server()
    server.now = figures(workers=1_000)
    async with view_of(server.look, (80, 24)) as view:
        await view.look()
        assert "Threads (1006), by kind" in view.shown
        await view.press("end")
        assert "log (TID 5903, writes the log): waits for work in its queue" in view.shown
        await view.press("home", "pagedown")
        assert "worker-" in view.rows[-2]


@shown_on_a_screen
async def test_a_server_for_which_a_look_is_dear_is_looked_at_less_often():
    server = Server()
    async with view_of(server.look, looks_every_s=0.5) as view:
        assert view.app.pause_s == 0.5
        server.now = figures(look_cost_s=0.012)
        await view.look()
        assert view.app.pause_s == 1.2
        server.now = figures(look_cost_s=0.3)
        await view.look()
        assert view.app.pause_s == 5.0


@pytest.mark.long
@shown_on_a_screen
async def test_when_the_server_stops_the_view_says_so_and_goes_on_with_the_next_one(monkeypatch):
    now = 1_000.0
    monkeypatch.setattr(app, "time", SimpleNamespace(monotonic=lambda: now))
    server = Server()
    async with view_of(server.look) as view:
        await view.look()
        server.problem = "the server has stopped"
        await view.look()
        now += 7.0
        await view.look()
        assert view.rows[0].rstrip().endswith("the server has stopped; trying again for 7 s")
        assert "worker-4" in view.shown, "the last figures stay"
        server.problem, server.now = "", msgspec.structs.replace(figures(), uptime_s=1.0)
        await view.look()
        assert "● serving for 0:01" in view.rows[0]


@shown_on_a_screen
async def test_a_pause_keeps_the_picture_until_it_ends():
    server = Server()
    async with view_of(server.look) as view:
        await view.look()
        await view.press("p")
        assert "paused: p continues" in view.rows[0]
        server.now = figures(workers=5)
        await view.look()
        assert "worker-5" not in view.shown
        await view.press("space")
        await view.look()
        assert "worker-5" in view.shown


@shown_on_a_screen
async def test_help_explains_the_columns_and_the_keys_and_q_leaves_it_and_then_the_view():
    async with view_of(Server().look) as view:
        await view.look()
        await view.press("question_mark")
        assert isinstance(view.app.screen, Explanation)
        assert "vol/s: voluntary context switches." in view.shown
        assert "Esc: back" in view.shown
        await view.press("q")
        assert not isinstance(view.app.screen, Explanation)
        await view.pilot.press("q")
    assert view.app.return_value is not None
    assert view.app.return_value.status == 0
    assert view.stopped == 1, "the thread that looks is not waited for"


@shown_on_a_screen
async def test_colours_can_be_changed_and_sixteen_are_enough():
    async with view_of(Server().look, terminal=Abilities(Colours.FEW), dark=False) as view:
        await view.look()
        assert view.app.theme == "tertulia-light-16"
        await view.press("t")
        assert view.app.theme == "tertulia-dark-16"
        assert "worker-4" in view.shown


@pytest.mark.long
@shown_on_a_screen
async def test_a_node_says_whether_it_serves_and_a_server_alone_shows_no_nodes():
    server = Server()
    async with view_of(server.look, (80, 24)) as view:
        await view.look()
        assert "Nodes of the chat" not in view.shown
        server.now = figures(cluster=ClusterFigures(cluster_of_three()))
        await view.look()
        assert "● serving for" in view.rows[0]
        assert "Nodes of the chat tertulia: 2 of 3 up" in view.shown
        assert "direct on the way" not in view.shown
        view.app.screen.query_one("#nodes LinesView").focus()
        await view.press(*["down"] * 8)
        assert "direct on the way 4" in view.shown, "the rest can be scrolled to"
        server.now = figures(cluster=ClusterFigures(cluster_of_three(serves=False)))
        await view.look()
        assert "○ this node does not serve" in view.rows[0]
        server.now = figures()  # started again without the others
        await view.look()
        assert "Nodes of the chat" not in view.shown
