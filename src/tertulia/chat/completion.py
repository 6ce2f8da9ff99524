"""Completion of what is being typed: commands, names, and the words that can follow a command.

Pure functions of the text before the cursor.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tertulia.chat.command_arguments import STATUS_WORDS, status_words
from tertulia.chat.command_table import BY_WORD, Argument, listed
from tertulia.chat.similar import plain_letters


class Completion(NamedTuple):
    """The texts that can replace the line from `start` to the cursor, the likeliest first."""

    start: int
    candidates: list[str]


def complete(before_cursor: str, names: Sequence[str], *, on_screen: bool = False) -> Completion:
    """Return the completions of the word before the cursor; preferred `names` come first."""
    text = before_cursor.lstrip()
    word = text.split(" ")[-1]
    start = len(before_cursor) - len(word)
    if word == text:
        return Completion(start, _complete_first(word, names, on_screen))
    spec = BY_WORD.get(text.split(" ", 1)[0].lower())
    if spec is not None and text.count(" ") == 1:
        if spec.argument is Argument.STATUS:
            own = status_words()
            others = [other for other in STATUS_WORDS if word and other not in own]
            return Completion(start, _matching(word, [*own, *others], "{}"))
        if spec.choices:
            return Completion(start, _matching(word, spec.choices, "{}"))
        if spec.argument is Argument.NAME:
            return Completion(start, _matching(word, names, "{} "))
    return Completion(start, _matching(word, names, "{} ") if word else [])


def _complete_first(word: str, names: Sequence[str], on_screen: bool) -> list[str]:
    if word.startswith("/"):
        specs = listed(on_screen=on_screen)
        own = [spec.word for spec in specs]
        others = [other for spec in specs for other in (spec.spanish, spec.english)]
        words = dict.fromkeys(other for other in [*own, *others] if other.startswith(word.lower()))
        return [
            found if BY_WORD[found].argument is Argument.NOTHING else f"{found} " for found in words
        ]
    if word.startswith("@"):
        return _matching(word[1:], names, "@{} ")
    return _matching(word, names, "{}: ") if word else []


def _matching(beginning: str, words: Sequence[str], form: str) -> list[str]:
    wanted = plain_letters(beginning)
    return [form.format(word) for word in words if plain_letters(word).startswith(wanted)]
