"""Completion of what is being typed: commands, names, and the words that can follow a command.

Pure functions of the text before the cursor.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from tertulia.chat.command_arguments import STATUS_WORDS, status_words
from tertulia.chat.command_table import Argument, listed
from tertulia.chat.command_words import find_command
from tertulia.chat.mentions import (
    AT_SIGNS,
    begins_word,
    calls_with_at,
    ends_without_space,
    is_letter,
)
from tertulia.chat.similar import plain_letters
from tertulia.operator_commands import (
    OPERATOR_COMMANDS,
    Subject,
    find_operator_command,
    on_and_off,
    word_for_none,
)
from tertulia.protocol.names import MAX_NAME_CHARS

_LAST_WORD = re.compile(r"\S*$")
_QUOTES = ('"', "'", "`", "*", "_")


class Completion(NamedTuple):
    """The texts that can replace the line from `start` to the cursor, the most likely first."""

    start: int
    candidates: list[str]


def complete(
    before_cursor: str, names: Sequence[str], *, on_screen: bool = False, operator: bool = False
) -> Completion:
    """Return the completions of the word before the cursor; preferred `names` come first.

    The commands of operators are offered only to an `operator`.
    """
    word = "".join(_LAST_WORD.findall(before_cursor)[:1])
    start = len(before_cursor) - len(word)
    before = before_cursor[:start].split()
    if not before and word.startswith("/"):
        return Completion(start, _complete_command(word, on_screen, operator))
    if operator and len(before) == 1 and (order := find_operator_command(before[0])) is not None:
        return Completion(start, _complete_order(order.subject, word, names))
    spec = find_command(before[0]) if len(before) == 1 else None
    if spec is not None and spec.argument is Argument.STATUS:
        own = status_words()
        others = [other for other in STATUS_WORDS if word and other not in own]
        return Completion(start, _matching(word, [*own, *others]))
    if spec is not None and spec.choices:
        return Completion(start, _matching(word, spec.choices))
    if not word:
        wants_name = spec is not None and spec.argument is Argument.NAME
        return Completion(start, [f"{name} " for name in names] if wants_name else [])
    position, candidates = _complete_name(word, names, is_first=not before)
    return Completion(start + position, candidates)


def _complete_command(word: str, on_screen: bool, operator: bool) -> list[str]:
    specs = [
        ((spec.word, spec.spanish, spec.english), spec.argument is not Argument.NOTHING)
        for spec in listed(on_screen=on_screen)
    ]
    if operator:
        specs += [
            ((order.word, order.spanish, order.english), bool(order.argument_words))
            for order in OPERATOR_COMMANDS
        ]
    found = {words[0]: takes_more for words, takes_more in specs}
    for words, takes_more in specs:
        found |= dict.fromkeys(words, takes_more)
    return [
        f"{other} " if takes_more else other
        for other, takes_more in found.items()
        if other.startswith(word.lower())
    ]


def _complete_order(subject: Subject, word: str, names: Sequence[str]) -> list[str]:
    """Return the words that can follow a command of operators."""
    match subject:
        case Subject.NAME | Subject.NAME_OR_ADDRESS:
            return [f"{name} " for name in _matching(word.removeprefix("@"), names)]
        case Subject.ON_OR_OFF:
            return _matching(word, on_and_off())
        case Subject.MESSAGE:
            return _matching(word, [word_for_none()])
    return []


def _complete_name(word: str, names: Sequence[str], *, is_first: bool) -> Completion:
    """Complete the name at the end of a word, which may begin with signs or other words."""
    if calls_with_at(word):
        return _with_signs(word[:-1], "@", names, is_first=is_first)
    for start in range(max(0, len(word) - MAX_NAME_CHARS), len(word)):
        before = word[:start]
        if not (is_letter(word[start]) and begins_word(word, start)):
            continue
        found = _matching(word[start:], names)
        if found and calls_with_at(before):
            return _with_signs(before[:-1], "@", found, is_first=is_first)
        if found and not before.endswith(AT_SIGNS):
            return _with_signs(before, "", found, is_first=is_first)
    return Completion(0, [])


def _with_signs(before: str, at: str, names: Sequence[str], *, is_first: bool) -> Completion:
    """Return names with the text before them in the same word, and the sign after them."""
    after = ": " if is_first and not before and not at else " "
    if before and (_opens(before[-1]) or ends_without_space(before)):
        # No sign or space is added before a closing bracket or in a script without spaces.
        after = ""
    return Completion(len(before), [f"{at}{name}{after}" for name in names])


def _opens(sign: str) -> bool:
    return sign in _QUOTES or unicodedata.category(sign) in ("Ps", "Pi")


def _matching(beginning: str, words: Sequence[str]) -> list[str]:
    wanted = plain_letters(beginning)
    return [word for word in words if plain_letters(word).startswith(wanted)]
