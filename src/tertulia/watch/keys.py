"""The keys of the live view: one table, from which bindings, help and key bar are made.

It knows no widget. Pure; safe in any thread.
"""

from textual.binding import Binding

from tertulia.i18n import N_, _
from tertulia.tui.keys import Key

KEYS = (
    Key("question_mark,f1,h", "?", "app.help", N_("explain what is on the screen, and the keys"),
        N_("Help")),
    Key("s", "s", "app.sort", N_("sort the threads in another order"), N_("Sort")),
    Key("g", "g", "app.graph", N_("show another figure of the last minute"), N_("Graph")),
    Key("p,space", "p", "app.pause", N_("pause the figures to read them; again: continue"),
        N_("Pause")),
    Key("up", "↑ ↓", "", N_("choose a thread: the line below explains it")),
    Key("tab", "Tab", "", N_("go to another part of the screen; there, ↑ ↓ scroll")),
    Key("t,f8", "t", "app.other_theme", N_("switch between dark and light colours"),
        N_("Colours"), is_spare=True),
    Key("ctrl+l", "Ctrl+L", "app.redraw", N_("redraw the screen")),
    Key("ctrl+z", "Ctrl+Z", "app.stop",
        N_("stop the program and go back to the shell; fg continues it"), priority=True),
    Key("q,escape,ctrl+q,ctrl+c,ctrl+d", "q", "app.leave", N_("leave; the server goes on"),
        N_("Quit")),
)  # fmt: skip


def bindings() -> list[Binding]:
    """Return the bindings of the screen."""
    return [
        Binding(key.keys, key.action, show=False, priority=key.priority)
        for key in KEYS
        if key.action
    ]


def help_rows() -> list[tuple[str, str]]:
    """Return the effect of each key, in words."""
    return [(_(key.shown), _(key.help)) for key in KEYS]
