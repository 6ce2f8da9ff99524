"""The first line of the screen, with names and states, and the last line, with keys.

Every item can be clicked. Runs on the event loop's thread.
"""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tertulia.i18n import _
from tertulia.tui.keys import KEYS, Key


class Item(Static):
    """A few words that carry out an action when they are clicked."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Item.-empty { display: none; }
    """

    def __init__(
        self, action: str = "", text: str = "", *, id: str | None = None, classes: str = ""
    ) -> None:
        empty = "" if text else " -empty"
        super().__init__(text, id=id, classes=classes + empty, markup=False)
        self._action = action
        self._shown = text

    def set_text(self, text: str) -> None:
        """Show a text; setting the same text again costs nothing."""
        if text != self._shown:
            self._shown = text
            self.update(text)
            self.set_class(not text, "-empty")

    async def on_click(self) -> None:
        """Carry out the action; an empty one does nothing."""
        await self.run_action(self._action)


class TitleBar(Horizontal):
    """The product, the server, unread messages elsewhere, the connection, own name and status."""

    def compose(self) -> ComposeResult:
        """Make an item for each of them."""
        yield Item(text="tertulia", id="product")
        yield Item(id="server")
        yield Item("app.go('unread')", id="unread")
        yield Item(id="connection")
        yield Item("app.status", id="own-status")

    def set_texts(self, *, server: str, unread: str, connection: str, own_status: str) -> None:
        """Show these texts; an empty text hides its item."""
        for item, text in (
            ("#server", server), ("#unread", unread), ("#connection", connection),
            ("#own-status", own_status),
        ):  # fmt: skip
            self.query_one(item, Item).set_text(text)


class KeyItem(Item):
    """A key in its own colour, and a word about its effect."""

    def __init__(self, key: Key) -> None:
        super().__init__(key.action, classes="-spare" if key.is_spare else "")
        self._key = key

    def on_mount(self) -> None:
        """Show the words."""
        self.translate()

    def translate(self) -> None:
        """Show the words in the current language."""
        shown = self._key.shown.replace("Ctrl+", "^")
        self.set_class(False, "-empty")
        self.update(Content.assemble((shown, "bold $accent"), " ", _(self._key.title)))


class KeyBar(Horizontal):
    """The effects of the most important keys, in words."""

    def compose(self) -> ComposeResult:
        """Make an item for each of them."""
        for key in KEYS:
            if key.title:
                yield KeyItem(key)

    def translate(self) -> None:
        """Show the words in the current language."""
        for item in self.query(KeyItem):
            item.translate()
