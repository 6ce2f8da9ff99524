"""The colours of the screen: the user's choice, or the ones that match the terminal.

Runs on the event loop's thread.
"""

from typing import Any

from textual.app import App

from tertulia.chat.choices import Choices
from tertulia.chat.face_commands import Theme
from tertulia.tui.painting.themes import THEMES, theme_name
from tertulia.tui.terminal.abilities import Abilities
from tertulia.tui.terminal.background import QUESTION as BACKGROUND_QUESTION
from tertulia.tui.terminal.textual_private import write_to_terminal


class Theming:
    """The theme of one screen."""

    def __init__(
        self, app: App[Any], choices: Choices, terminal: Abilities, *, is_dark: bool
    ) -> None:
        """Begin; `is_dark` is the terminal's background, as far as is known."""
        self._app = app
        self._choices = choices
        self._terminal = terminal
        self._terminal_is_dark = is_dark
        for theme in THEMES:
            app.register_theme(theme)
        self._use_chosen()

    def choose(self, chosen: Theme | None) -> str:
        """Use dark or light colours, or the terminal's; None switches between dark and light.

        Returns a text about it.
        """
        if chosen is None:
            chosen = Theme.LIGHT if self._app.current_theme.dark else Theme.DARK
        if chosen is Theme.AUTO and self._terminal.obeys_osc:
            write_to_terminal(self._app, BACKGROUND_QUESTION)  # it may have changed
        words = self._choices.set_theme(chosen)
        self._use_chosen()
        return words

    def set_background(self, *, is_dark: bool) -> None:
        """Note the background that the terminal has reported."""
        self._terminal_is_dark = is_dark
        self._use_chosen()

    def _use_chosen(self) -> None:
        chosen = self._choices.settings.theme
        dark = self._terminal_is_dark if chosen == "auto" else chosen == "dark"
        self._app.theme = theme_name(dark=dark, colours=self._terminal.colours)
