"""What a name is, and when two names are one."""

import re
import unicodedata
from typing import NamedTuple

MAX_NAME_CHARS = 32  # after NFC
_MAX_RAW_CHARS = 128  # NFC makes at most 4 characters one; what is longer is not even normalized
_MAX_MARKS = 2  # after one another

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")
_SCRIPTS_KEPT_APART = ("LATIN", "GREEK", "CYRILLIC")
# Letters and marks that show nothing (Default_Ignorable_Code_Point among L, Mn and Mc).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


class Name(NamedTuple):
    """A valid name: as it is shown, and the key under which two spellings are one name."""

    shown: str
    key: str


def parse_name(raw: str) -> Name | None:
    """Read a name in any spelling; None for what cannot be one."""
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
    return Name(shown, unicodedata.normalize("NFKC", compatible.casefold()))


def _has_only_name_characters(text: str) -> bool:
    marks = _MAX_MARKS  # so that none may stand at the beginning
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
    first_words = {unicodedata.name(character, "").split(" ", 1)[0] for character in text}
    if "TURNED" in first_words:  # the only Latin letters whose names do not say so: \u2132, \u214e
        first_words.add("LATIN")
    return sum(script in first_words for script in _SCRIPTS_KEPT_APART) <= 1
