"""The keys of the full screen: one table, from which bindings, help and key bar are made.

It knows no widget. Pure; safe in any thread.
"""

from typing import NamedTuple

from textual.binding import Binding

from tertulia.i18n import N_, _


class Key(NamedTuple):
    """A row of the table; `shown`, `help` and `title` are msgids.

    A key without an action is handled by a widget. A key with a title is also in the key bar.
    `command` is the English word of the command with the same effect.
    """

    keys: str  # as Textual names it
    shown: str
    action: str
    help: str
    title: str = ""
    is_spare: bool = False  # shown in the key bar only if there is room
    command: str = ""
    priority: bool = False  # True if it is handled before the keys of the focused widget


TEXT = Key(
    "f7", "F7", "app.show_text", N_("show the conversation as plain text, to copy it"), N_("Text"),
    is_spare=True, command="/copy",
)  # fmt: skip
FOLLOW = Key("ctrl+t", "Ctrl+T", "app.go('follow')",
    N_("go to the conversation of your last message; from there, back"), priority=True)  # fmt: skip
NEW = Key(
    "f6", "F6", "app.go('new')", N_("go to what is new in this conversation since you were here")
)
MARK = Key("f5", "F5", "screen.mark",
    N_("mark a message: ↑ and ↓ choose it, Enter shows what can be done"))  # fmt: skip
KEYS = (
    Key("enter", N_("Enter"), "", N_("send; in a list, choose")),
    Key("alt+enter", N_("Alt+Enter, Ctrl+J"), "", N_("start a new line")),
    Key("tab", "Tab", "", N_("complete a name or a command; press again for the next one")),
    Key("up", "↑ ↓", "", N_("go through what you sent before")),
    Key("escape", "Esc", "to_composer", N_("go back to the text field")),
    Key("f1", "F1", "app.help", N_("show all keys and commands"), N_("Help"),
        command="/help"),
    Key("f2", "F2", "screen.conversations", N_("go to the list of conversations"), N_("Chats")),
    Key("f3", "F3", "screen.people", N_("go to the list of people; type to filter it"),
        N_("People"), command="/users"),
    Key("f4", "F4", "app.status", N_("change your status"), N_("Status"),
        command="/status"),
    MARK,
    TEXT,
    Key("f8", "F8", "app.other_theme", N_("switch between dark and light colours"),
        command="/theme"),
    Key("f9", "F9", "screen.palette", N_("show all commands, to choose one by typing"),
        N_("Commands")),
    Key("ctrl+n", "Ctrl+N", "app.go('next')", N_("go to the next conversation"), priority=True),
    Key("ctrl+p", "Ctrl+P", "app.go('previous')",
        N_("go to the previous conversation"), priority=True),
    FOLLOW,
    NEW,
    Key("delete", N_("Del"), "", N_("in the list of conversations: close one"),
        command="/close"),
    Key("ctrl+g", "Ctrl+G", "app.go('unread')",
        N_("go to the next conversation with unread messages")),
    Key("pageup", N_("PgUp"), "scroll('page_up')", N_("scroll up")),
    Key("pagedown", N_("PgDn"), "scroll('page_down')", N_("scroll down")),
    Key("ctrl+home", N_("Ctrl+Home"), "scroll('scroll_home')",
        N_("go to the oldest message shown here")),
    Key("ctrl+end", N_("Ctrl+End"), "scroll('scroll_end')", N_("go to the newest message")),
    Key("ctrl+l", "Ctrl+L", "screen.redraw", N_("redraw the screen"), priority=True),
    Key("ctrl+r", "Ctrl+R", "app.send_again", N_("send the last undelivered message again"),
        command="/resend"),
    Key("ctrl+c", "Ctrl+C", "interrupt",
        N_("copy the selection; without one, clear the text; without text, leave"), priority=True),
    Key("ctrl+z", "Ctrl+Z", "app.stop",
        N_("stop the program and go back to the shell; fg continues it"), priority=True),
    Key("ctrl+q", "Ctrl+Q", "app.leave", N_("leave the chat"), N_("Quit"),
        command="/quit", priority=True),
    Key("ctrl+d", "Ctrl+D", "app.leave", N_("leave the chat, if nothing is typed")),
)  # fmt: skip


def bindings() -> list[Binding]:
    """Return the bindings of the main screen."""
    return [
        Binding(
            key.keys,
            key.action,
            show=False,
            priority=key.priority,
            id=key.action,
            tooltip=key.help,
        )
        for key in KEYS
        if key.action
    ]


def help_rows() -> list[tuple[str, str]]:
    """Return the effect of each key and of the mouse, in words."""
    rows = [(_(key.shown), _(key.help)) for key in KEYS]
    rows.append((_("Mouse"), _("choose, scroll, select text and copy it with Ctrl+C")))
    rows.append((_("Right click"), _("on a message: show what can be done with it")))
    return rows
