"""The rules for user names: which ones are valid, and which spellings are the same name."""

import re
import unicodedata

from msgspec import Struct

MAX_NAME_CHARS = 32  # after NFC
_MAX_RAW_CHARS = 128  # NFC joins at most 4 characters, so a longer name cannot be valid
_MAX_MARKS = 2  # in a row

RESERVED = frozenset({"all", "general", "server", "servidor", "tertulia", "todos"})

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")
# What is hardly seen in a name, and what looks like Latin letters: in a name of Greek or Cyrillic
# letters alone, too.
_LOOKS = str.maketrans(
    "01i" + "авеіјкмнорѕстухԁԛԝ" + "αικνορτυχ",
    "oll" + "abeljkmhopsctyxdqw" + "alkvoptux",
    "._-",
)
_SCRIPTS_KEPT_APART = ("LATIN", "GREEK", "CYRILLIC")
# Letters and marks that are invisible (Default_Ignorable_Code_Point among L, Mn and Mc).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


class Name(Struct, frozen=True, array_like=True, gc=False):
    """A valid name as it is shown, and its key, which is the same for all spellings of it."""

    shown: str
    key: str


def parse_name(raw: str) -> Name | None:
    """Return the name that a spelling stands for, or None if it is not valid."""
    # As nearly all are; `_parse` looks at the others.
    name = Name(raw, raw.lower()) if _PLAIN.match(raw) else _parse(raw)
    return None if name is None or name.key in RESERVED else name


def is_reserved(raw: str) -> bool:
    """Return whether a name would be valid, but is a word that the chat itself uses."""
    name = _parse(raw)
    return name is not None and name.key in RESERVED


def _parse(raw: str) -> Name | None:
    if _PLAIN.match(raw):
        return Name(raw, raw.lower())
    if len(raw) > _MAX_RAW_CHARS:
        return None
    shown = unicodedata.normalize("NFC", raw)
    compatible = unicodedata.normalize("NFKC", shown)
    if not (
        1 <= len(shown) <= MAX_NAME_CHARS
        and _has_only_name_characters(shown)
        and not _INVISIBLE.search(shown)
        and " " not in compatible
        and _keeps_scripts_apart(compatible)
    ):
        return None
    return Name(shown, fold(compatible))


def fold(text: str) -> str:
    """Return a text as names are compared: without differences of case, width and marks.

    The key of a name is its folded spelling.
    """
    if text.isascii():
        return text.lower()
    # Before the case is folded, too: that makes letters of some Greek marks.
    folded = _without_marks(unicodedata.normalize("NFKC", text)).casefold()
    return _without_marks(unicodedata.normalize("NFKC", folded))


def look_of(key: str) -> str:
    """Return the same text for the keys of names that are easily taken for one another.

    `Profesora.`, `Pr0fesora` and `Prof_esora` look like `Profesora`.
    """
    return key.translate(_LOOKS)


def _without_marks(text: str) -> str:
    """Return a text without the marks of its Latin, Greek and Cyrillic letters, in NFC."""
    kept = []
    base = ""  # the character that marks belong to
    for character in unicodedata.normalize("NFD", text):
        if not unicodedata.category(character).startswith("M"):
            base = character
        elif base and _script(base) in _SCRIPTS_KEPT_APART:
            continue
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))


def _has_only_name_characters(text: str) -> bool:
    marks = _MAX_MARKS  # so that a name cannot begin with a mark
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        if category in ("Mn", "Mc"):
            marks += 1
            if marks > _MAX_MARKS:
                return False
        elif category[0] == "L" or category == "Nd" or (position and character in "_-."):
            marks = 0
        else:
            return False
    return True


def _keeps_scripts_apart(text: str) -> bool:
    scripts = {_script(character) for character in text}
    return sum(script in scripts for script in _SCRIPTS_KEPT_APART) <= 1


def _script(character: str) -> str:
    """Return the first word of a character's name in Unicode, which is the script of a letter."""
    word = unicodedata.name(character, "").split(" ", 1)[0]
    # The names of two Latin letters begin with TURNED: \u2132 and \u214e.
    return "LATIN" if word == "TURNED" else word
