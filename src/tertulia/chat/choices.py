"""The settings that the user changes while the program runs: notifications, language, colours.

A change is effective at once, and is saved for the next run. Both faces use it, each in its one
thread.
"""

from typing import Any

from msgspec.structs import replace

from tertulia.chat import settings
from tertulia.chat.face_commands import SetLanguage, SetNotify, SetPlain, Theme
from tertulia.chat.mentions import Mention
from tertulia.chat.settings import Settings, SettingsError
from tertulia.i18n import _, set_language


class Choices:
    """The current settings."""

    def __init__(self, chosen: Settings | None = None) -> None:
        self.settings = chosen or Settings()

    def change(self, **changes: Any) -> str:
        """Change some settings and save them; return an explanation if they could not be saved."""
        self.settings = replace(self.settings, **changes)
        try:
            settings.save(**changes)
        except SettingsError as error:
            return str(error)
        return ""

    def rings_for(self, *, calls: bool) -> bool:
        """Return whether to ring the bell for a message; `calls` if it is direct or a mention."""
        return self.settings.notify == "all" or (calls and self.settings.notify == "mentions")

    def mention_of(self, name: str) -> Mention:
        """Return the rule that finds mentions of a user."""
        return Mention(name, only_at=self.settings.notify_at)

    def set_notify(self, command: SetNotify) -> str:
        """Choose for which messages the bell rings; return the choice in words."""
        changes: dict[str, Any] = {}
        if command.notify is not None:
            changes["notify"] = command.notify.value
        elif self.settings.notify == "off":
            # Otherwise no message would be shown in the terminal's notifications.
            changes["notify"] = "mentions"
        if command.terminal is not None:
            changes["notify_terminal"] = command.terminal
        if command.only_at is not None:
            changes["notify_at"] = command.only_at
        problem = self.change(**changes)
        return _sentences(self._notify_words(), problem)

    def set_language(self, command: SetLanguage) -> str:
        """Choose the language of this program; return the choice in words."""
        set_language(command.language)
        problem = self.change(language=command.language)
        return _sentences(_("The language is now English."), problem)

    def switch_statuses(self) -> str:
        """Switch whether changes of status are lines in the chat; return the choice in words."""
        shown = not self.settings.notify_statuses
        problem = self.change(notify_statuses=shown)
        if shown:
            words = _(
                "Each change of status is a line in the chat now. Type it again to stop that."
            )
        else:
            words = _("Changes of status show only in the list of people now.")
        return _sentences(words, problem)

    def set_plain(self, command: SetPlain) -> str:
        """Choose the face for the next start; return the choice in words."""
        problem = self.change(plain=command.plain)
        if command.plain:
            words = _("From now on, tertulia starts line by line. For the full screen: --no-plain.")
        else:
            words = _("From now on, tertulia starts with the full screen. For lines: --plain.")
        return _sentences(words, problem)

    def set_theme(self, theme: Theme) -> str:
        """Choose the colours; return in words anything that the user cannot see."""
        problem = self.change(theme=theme.value)
        words = _("The colours are those that fit the terminal.") if theme is Theme.AUTO else ""
        return _sentences(words, problem)

    def _notify_words(self) -> str:
        chosen = self.settings
        match chosen.notify:
            case "off":
                words = _("The bell does not ring.")
            case "all":
                words = _("The bell rings for every message.")
            case _:
                words = _("The bell rings for mentions and direct messages.")
        return _sentences(
            words,
            _("The terminal shows them too.") if chosen.notify_terminal else "",
            _("Only your name after “@” is a mention.") if chosen.notify_at else "",
        )


def _sentences(*sentences: str) -> str:
    return " ".join(filter(None, sentences))
