"""The dialogs for moderation: the secret, actions on a person, a duration, the bans.

Runs on the event loop's thread.
"""

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from tertulia.chat.event_words import speech
from tertulia.i18n import _, ngettext
from tertulia.operator_words import ban_words
from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.moderation import BanRow
from tertulia.safetext import visible, visible_in_a_line
from tertulia.tui.widgets.dialogs import ChoiceDialog, Dialog, question
from tertulia.tui.widgets.rowlist import Row

_MINUTES = (5, 30, 120, 1_440)


class SecretDialog(Dialog[str]):
    """A field for the operator's secret, which hides the typed letters."""

    def __init__(self) -> None:
        super().__init__(_("Keep order"))
        self._input = Input(id="code", password=True, select_on_focus=False)

    def content(self) -> ComposeResult:
        """Show the question, and the field."""
        yield Static(_("The operator's secret (it is not shown):"), id="dialog-text", markup=False)
        yield self._input

    def on_mount(self) -> None:
        """Set the focus, so that the user can type at once."""
        self._input.focus()

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)


class PinnedDialog(Dialog[None]):
    """The complete pinned message."""

    def __init__(self, message: StoredMessage) -> None:
        super().__init__(_("Pinned by an operator"))
        self.add_class("wide")
        self._message = message

    def content(self) -> ComposeResult:
        """Show the message."""
        with VerticalScroll(id="dialog-text"):
            text = speech(self._message.sender, self._message.text, hook=self._message.hook)
            yield Static(visible(text), markup=False)


def person_rows(*, is_operator: bool, is_muted: bool, is_ignored: bool) -> list[Row]:
    """Return the possible actions on a person, as rows of their dialog."""
    rows = []
    if is_operator:
        mute = ("unmute", _("Let speak again")) if is_muted else ("mute", _("Silence…"))
        rows = [mute, ("kick", _("Remove from the chat…")), ("ban", _("Ban…"))]
    ignored = ("unignore", _("Stop ignoring")) if is_ignored else ("ignore", _("Ignore"))
    return [Row(key, [(words, "")]) for key, words in [*rows, ignored]]


def minutes_dialog(title: str, name: str) -> ChoiceDialog:
    """Make a dialog that asks for a duration; its answer is in minutes, 0 means without an end."""
    rows = [Row(str(minutes), [(_minutes_words(minutes), "")]) for minutes in _MINUTES]
    rows.append(Row("0", [(_("Until it is lifted"), "")]))
    return ChoiceDialog(title.format(name=visible_in_a_line(name)), "", rows)


def confirmation(text: str) -> ChoiceDialog:
    """Make a question before somebody is removed or let in again."""
    return question(_("Keep order"), text, _("Go on"), _("Do nothing"))


def bans_dialog(bans: Sequence[BanRow]) -> ChoiceDialog:
    """Make a dialog with the bans; its answer is the index of the one to lift."""
    if not bans:
        close = [Row("close", [(_("Close"), "")])]
        return ChoiceDialog(_("Bans"), _("Nobody is banned."), close)
    rows = [Row(str(place), [(ban_words(ban), "")]) for place, ban in enumerate(bans)]
    dialog = ChoiceDialog(_("Bans"), _("Enter lifts the ban that you choose."), rows)
    dialog.add_class("wide-rows")
    return dialog


def _minutes_words(minutes: int) -> str:
    if minutes % 1_440 == 0:
        count, text = minutes // 1_440, ngettext("{count} day", "{count} days", minutes // 1_440)
    elif minutes % 60 == 0:
        count, text = minutes // 60, ngettext("{count} hour", "{count} hours", minutes // 60)
    else:
        count, text = minutes, ngettext("{count} minute", "{count} minutes", minutes)
    return text.format(count=count)
