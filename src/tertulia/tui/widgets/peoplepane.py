"""The right column: the present users, with a field that filters them.

Runs on the event loop's thread.
"""

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from tertulia.chat.chat import Chat
from tertulia.chat.destination import Destination
from tertulia.chat.display import Glyphs
from tertulia.i18n import _
from tertulia.safetext import visible_in_a_line
from tertulia.tui.widgets import columns
from tertulia.tui.widgets.panes import Pane
from tertulia.tui.widgets.rowlist import RowList

FILTER_FROM = 15  # the number of people from which the filter is shown


class PeopleList(RowList):
    """The present users."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{style}" for style in columns.PEOPLE_STYLES
    }


class Filter(Input):
    """A field whose letters filter the people; its vertical keys move in their list."""

    async def on_key(self, event: events.Key) -> None:
        """Pass the list's keys to the list."""
        if event.key in ("up", "down", "pageup", "pagedown"):
            event.stop()
            people = self.screen.query_one(PeopleList)
            self.screen.set_focus(people)
            await people.run_action(f"highlight_by({-1 if event.key.endswith('up') else 1})")

    def on_paste(self, event: events.Paste) -> None:
        """Leave a text of several lines to the composer; this field keeps only the first."""
        if len(event.text.splitlines()) > 1:
            event.prevent_default()


class PeoplePane(Pane):
    """The list of people; while nobody else is present, advice for inviting others."""

    def __init__(self, to: Destination, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._to = to
        self._glyphs = glyphs
        self._chat: Chat | None = None  # the one shown last

    def compose(self) -> ComposeResult:
        """Put the filter above the list."""
        yield Filter(placeholder=_("filter"), id="filter", select_on_focus=False)
        yield PeopleList(id="people")
        yield Static(id="nobody-else", classes="empty", markup=False)

    def on_mount(self) -> None:
        """Begin without people."""
        self.list = self.query_one(PeopleList)
        self.filter = self.query_one(Filter)
        self.title = _("People")
        self.query_one("#nobody-else").display = False

    def translate(self) -> None:
        """Show the words in the current language."""
        self.filter.placeholder = _("filter")
        self.title = _("People")
        self._show()

    def show(self, chat: Chat) -> None:
        """Show the present users."""
        self._chat = chat
        self._show()

    @on(Input.Changed, "#filter")
    def _show(self) -> None:
        """Show the people who match the filter; without a connection their status is unknown."""
        if self._chat is None:
            return
        users, known = self._chat.state.users, self._chat.connected
        wanted = self.filter.value
        self.title = columns.people_count(len(users)) if known else _("People")
        self.filter.display = len(users) >= FILTER_FROM or bool(wanted)
        rows = columns.people_rows(
            users, self._chat.state.name, self._glyphs,
            wanted=wanted, known=known, ignored=self._chat.ignored,
        )  # fmt: skip
        self.list.rows = rows
        tls = " --tls" if self._chat.certificate is not None else ""
        words = self._words_for_nobody(len(users), len(rows), tls, known=known)
        empty = self.query_one("#nobody-else", Static)
        empty.update(words)
        empty.display = bool(words)
        self.list.styles.height = len(rows) + 1 if words else "1fr"

    def _words_for_nobody(self, users: int, rows: int, tls: str, *, known: bool) -> str:
        if users and not rows:
            return _("No name contains “{letters}”. Esc: show everyone.").format(
                letters=visible_in_a_line(self.filter.value)
            )
        if users > 1 or not known:
            return ""
        text = _("Nobody else is here yet. Others join with: tertulia NAME {host} {port}")
        host, port = self._to.host, self._to.port
        if self._chat is not None:  # the user may now be at another server of the chat
            host, port = self._chat.whereabouts.address
        return text.format(host=visible_in_a_line(host), port=port) + tls
