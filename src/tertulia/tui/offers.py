"""The offers of the palette: every command and every key's action, in the user's language.

They are made from the tables of commands, of the operators' commands and of keys. Pure; no widget.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tertulia.chat.command_table import CommandSpec, listed
from tertulia.chat.similar import plain_letters
from tertulia.i18n import _
from tertulia.operator_commands import OPERATOR_COMMANDS, OperatorCommand
from tertulia.tui.keys import KEYS, Key


class Offer(NamedTuple):
    """One action; `word` and `shown_key` are empty if no command or no key has it."""

    title: str
    word: str
    arguments: str  # the arguments that can follow the word
    shown_key: str
    action: str  # the action of the key
    letters: str  # compared with the typed letters

    @property
    def needs_arguments(self) -> bool:
        """Return whether the command has no effect without arguments."""
        return bool(self.arguments) and not self.arguments.startswith("[")

    @property
    def about(self) -> str:
        """Return the whole command and its effect, in a line."""
        usage = f"{self.word} {self.arguments}".strip()
        return f"{usage}: {self.title}" if usage else self.title


def offers(*, operator: bool = False) -> list[Offer]:
    """Return all offers, the commands first; the commands of operators only for an operator."""
    by_command = {key.command: key for key in KEYS if key.command}
    found = [_of_command(spec, by_command.get(spec.english)) for spec in listed(on_screen=True)]
    if operator:
        found += [_of_command(order, None) for order in OPERATOR_COMMANDS]
    found += [_of_key(key) for key in KEYS if key.action and not key.command]
    return found


def matching(found: Sequence[Offer], typed: str) -> list[Offer]:
    """Return the offers with every typed word; offers whose command begins with it come first."""
    words = plain_letters(typed).split()
    kept = [offer for offer in found if all(word in offer.letters for word in words)]
    return sorted(kept, key=lambda offer: not _begins(offer, words))


def _begins(offer: Offer, words: Sequence[str]) -> bool:
    return bool(words) and offer.letters.removeprefix("/").startswith(words[0].removeprefix("/"))


def _of_command(spec: CommandSpec | OperatorCommand, key: Key | None) -> Offer:
    title, shown = _(spec.help), "" if key is None else _(key.shown)
    arguments = _(spec.argument_words) if spec.argument_words else ""
    also = "" if key is None else _(key.help)
    letters = f"{spec.word} {spec.spanish} {spec.english} {title} {also} {shown}"
    action = "" if key is None else key.action
    return Offer(title, spec.word, arguments, shown, action, plain_letters(letters))


def _of_key(key: Key) -> Offer:
    title, shown = _(key.help), _(key.shown)
    return Offer(title, "", "", shown, key.action, plain_letters(f"{title} {shown}"))
