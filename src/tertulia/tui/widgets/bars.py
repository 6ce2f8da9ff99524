"""The two lines at the bottom: own status and connection, and what the keys do; all can be clicked.

Runs on the event loop's thread.
"""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from tertulia.i18n import _
from tertulia.tui.keys import KEYS, Key


class Item(Static):
    """A few words that carry out an action when they are clicked."""

    DEFAULT_CSS = """
    Item.-empty { display: none; }
    """

    def __init__(self, action: str = "", text: str = "", *, id: str | None = None) -> None:
        super().__init__(text, id=id, classes="" if text else "-empty", markup=False)
        self._action = action
        self._shown = text

    def set_text(self, text: str) -> None:
        """Show a text; the same one again costs nothing."""
        if text != self._shown:
            self._shown = text
            self.update(text)
            self.set_class(not text, "-empty")

    async def on_click(self) -> None:
        """Carry out the action."""
        if self._action:
            await self.run_action(self._action)


class StatusBar(Horizontal):
    """Own name and status, the server, the number of people, the connection."""

    def compose(self) -> ComposeResult:
        """Make an item for each of them."""
        yield Item("app.status", id="own-status")
        yield Item(id="server")
        yield Item("screen.people", id="count")
        yield Item(id="connection")

    def set_texts(self, own_status: str, server: str, count: str, connection: str) -> None:
        """Show these words; an empty text hides its item."""
        texts: Sequence[str] = (own_status, server, count, connection)
        for item, text in zip(self.query(Item), texts, strict=True):
            item.set_text(text)


class KeyBar(Horizontal):
    """What the most important keys do, in words."""

    def compose(self) -> ComposeResult:
        """Make an item for each of them."""
        for key in KEYS:
            if key.title:
                yield Item(key.action, _key_words(key))

    def translate(self) -> None:
        """Show the words in the current language."""
        for item, key in zip(self.query(Item), (key for key in KEYS if key.title), strict=True):
            item.set_text(_key_words(key))


def _key_words(key: Key) -> str:
    return f"{key.shown.replace('Ctrl+', '^')} {_(key.title)}"
