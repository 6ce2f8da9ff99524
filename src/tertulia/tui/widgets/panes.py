"""The bordered parts of the screen: the common behaviour of the columns and the text field.

Runs on the event loop's thread.
"""

from textual.containers import Vertical
from textual.content import Content


class Pane(Vertical):
    """A part of the screen with a title in its border, which also shows the focus."""

    _title = ""
    _shown = ""

    @property
    def title(self) -> str:
        """Return the title, which is text and never markup; setting it unchanged costs nothing."""
        return self._title

    @title.setter
    def title(self, text: str) -> None:
        self._title = text
        self._show_title()

    def on_resize(self) -> None:
        """Show the title in the form for the border of this size."""
        self._show_title()

    def _show_title(self) -> None:
        # Textual puts blanks around a title only if the border has corners.
        has_corners = bool(self.styles.border_left[0] and self.styles.border_right[0])
        text = self._title if has_corners or not self._title else f" {self._title} "
        if text != self._shown:
            self._shown = text
            self.border_title = Content(text) if text else None
