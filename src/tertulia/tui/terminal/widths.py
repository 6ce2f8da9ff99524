"""Counts the cells of a text on a terminal, and knows where terminals disagree.

Most characters have the same width everywhere. For emoji of several characters, for marks and for
conjuncts each terminal has its own rules, and no terminal reports them. Rich counts the cells for
Textual and for this program; where only Rich counts differently, it is corrected here. Pure, except
`mend_richs_widths`; safe in any thread.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import takewhile
from typing import NamedTuple

from rich import cells
from rich._unicode_data import load

from tertulia.graphemes import MAX_GRAPHEME_CHARS, split

# For use inside [...]: the characters with the same width in every terminal, alone and next to each
# other. They are letters, digits and signs of scripts that do not join them.
AGREED_CHARACTERS = (
    r" -~\xa0-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0482\u048a-\u052f\u0531-\u0556"
    r"\u0561-\u0587\u05d0-\u05ea\u0620-\u064a\u0660-\u066f\u0671-\u06d5\u0e01-\u0e30\u0e32"
    r"\u0e3f-\u0e46\u0e4f-\u0e5b\u10d0-\u10ff\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    r"\u2100-\u218b\u2190-\u2319\u2400-\u2426\u2460-\u25fc\u2800-\u28ff\u2e80-\u2e99"
    r"\u2e9b-\u2ef3\u3001-\u3029\u3030-\u303e\u3041-\u3096\u309b-\u30ff\u3105-\u312f\u3131-\u3163"
    r"\u3165-\u318e\u31f0-\u321e\u3250-\u4dbf\u4e00-\ua48c\uac00-\ud7a3\uf900-\ufa6d\ufe30-\ufe52"
    r"\uff01-\uff9d\uffe0-\uffe6\U00020000-\U0002a6df"
)
_is_agreed = re.compile(f"[{AGREED_CHARACTERS}]*").fullmatch
# Splits a text at the last character before possibly joined ones.
_STRETCHES = re.compile(
    f"(?P<agreed>[{AGREED_CHARACTERS}]+)(?![^{AGREED_CHARACTERS}])"
    f"|[{AGREED_CHARACTERS}]?[^{AGREED_CHARACTERS}]+"
)
_JOINER, _EMOJI_STYLE = "\u200d", "\ufe0f"
_MOST_MARKS = 4  # on one letter; no language needs more
_NON_JOINER = "\u200c"  # it has the same width, and no special effect


class Cluster(NamedTuple):
    """Characters that a terminal may draw together, in a width of its own."""

    text: str
    columns: int  # as the layout counts
    most_columns: int  # in the terminal that uses the most


def is_agreed(text: str) -> bool:
    """Return whether all terminals give this text the same width."""
    return text.isascii() or _is_agreed(text) is not None


def parts(text: str) -> Iterator[str | Cluster]:
    """Split a text into parts with an agreed width, and clusters that may have other widths.

    Characters without a width belong to the cluster before them; at the start they are their own
    cluster.
    """
    for stretch in _STRETCHES.finditer(text):
        if stretch["agreed"]:
            yield stretch[0]
        else:
            for cluster in clusters(stretch[0]):
                yield cluster.text if is_agreed(cluster.text) else cluster


def clusters(text: str) -> Iterator[Cluster]:
    """Split a text into clusters; the sum of their columns is the width of the text."""
    whole = ""
    for grapheme in split(text):
        if whole and cells.cell_len(grapheme):
            yield _measure(whole)
            whole = ""
        whole += grapheme
    if whole:
        yield _measure(whole)


def with_few_marks(text: str) -> str:
    """Return a cluster with at most a few marks, because more of them would cover other rows."""
    if len(text) <= _MOST_MARKS:
        return text
    kept, marks = "", 0
    for character in text:
        is_mark = unicodedata.category(character) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        if marks <= _MOST_MARKS:
            kept += character
    return kept


def shortened(cluster: Cluster, room: int) -> str:
    """Return the part of a cluster that fits into `room` cells in every terminal."""
    kept, used = "", 0
    for character in unicodedata.normalize("NFC", with_few_marks(cluster.text)):
        used += _most_columns(character)
        if used > room:
            break
        kept += character
    return kept.rstrip(_JOINER)


def simplified(cluster: Cluster) -> str:
    """Return a cluster without parts that only some terminals join: colour, style, pictures."""
    text = unicodedata.normalize("NFC", with_few_marks(cluster.text))
    return text[0] + "".join(takewhile(_is_joined_everywhere, text[1:]))


def _is_joined_everywhere(character: str) -> bool:
    kind = unicodedata.category(character)
    if "\ufe00" <= character <= "\ufe0f" or "\u1100" <= character <= "\u11ff":  # styles, Hangul
        return False
    is_flag_letter = "\U0001f1e6" <= character <= "\U0001f1ff"
    return is_flag_letter or kind in ("Mn", "Mc") or (kind == "Lo" and character < "\u1100")


def _measure(text: str) -> Cluster:
    # The cache must not keep letters with thousands of marks, because somebody could send many.
    measure = _measured if len(text) <= MAX_GRAPHEME_CHARS else _measured.__wrapped__
    return measure(text)


@lru_cache(maxsize=4096)
def _measured(text: str) -> Cluster:
    columns = cells.cell_len(text)
    return Cluster(text, columns, max(columns, sum(map(_most_columns, text))))


def _most_columns(character: str) -> int:
    """Return how many cells a character adds in the terminal where it adds the most."""
    if character == _EMOJI_STYLE:
        return 1  # it can make one cell two cells wide
    kind = unicodedata.category(character)
    if kind in ("Mn", "Me", "Cf"):
        return 0
    is_picture_or_unknown = kind[0] not in "LMN" and not (character < "\ue000" and kind[0] in "PSZ")
    if is_picture_or_unknown or unicodedata.east_asian_width(character) in ("F", "W"):
        return 2
    return max(1, cells.get_character_cell_size(character))


def mend_richs_widths() -> None:
    """Make Rich count spacing marks, and characters after a joiner that joins nothing.

    Terminals give most vowel signs of Indian scripts their own cell.
    """
    if cells._cell_len is _cell_len:
        return
    # Rich's other functions look these names up in their module.
    cells.load_cell_table = _mended_table  # type: ignore[attr-defined]
    cells._cell_len = _cell_len
    cells.split_graphemes = _split_graphemes
    cells.cached_cell_len.cache_clear()
    cells.get_character_cell_size.cache_clear()


_richs_cell_len, _richs_split = cells._cell_len, cells.split_graphemes


@cache
def _mended_table(unicode_version: str = "auto") -> cells.CellTable:
    table = load(unicode_version)
    widths = []
    for start, end, width in table.widths:
        if width:
            widths.append((start, end, width))
            continue
        first = start
        for code in range(start, end + 2):
            if code > end or unicodedata.category(chr(code)) == "Mc":
                if first < code:
                    widths.append((first, code - 1, 0))
                first = code + 1  # characters that are not in the table are one cell wide
    return table._replace(widths=widths)


def _cell_len(text: str, unicode_version: str) -> int:
    return _richs_cell_len(_without_idle_joiners(text), unicode_version)


def _split_graphemes(text: str, unicode_version: str = "auto") -> tuple[list[cells.CellSpan], int]:
    return _richs_split(_without_idle_joiners(text), unicode_version)


def _without_idle_joiners(text: str) -> str:
    """Replace each joiner that joins no pictures, because Rich hides the character after it."""
    if _JOINER not in text:
        return text
    return "".join(
        _NON_JOINER if character == _JOINER and not _is_picture(following) else character
        for grapheme in split(text)
        for character, following in zip(grapheme, [*grapheme[1:], ""], strict=True)
    )


def _is_picture(following: str) -> bool:
    """Return whether a character that follows a joiner in a grapheme is a picture."""
    return not is_agreed(following) and unicodedata.category(following)[0] not in "LMC"
