"""Replaces characters that the Linux console cannot show; its fonts have only 256 or 512.

Letters are not changed, because the font may be one for their script. Every other character is
replaced by one of the same width that all usual fonts have. Pure; safe in any thread.
"""

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len

from tertulia.tui.terminal.widths import clusters

# These are in code page 437, which the kernel contains, and in the fonts of Linux distributions.
SIGNS = "§«·»←↑→↓─│┌┐└┘├┤┬┴┼█░▒■▲▼•♦"
# Some of these fonts lack a few of these, but people write them.
_LATIN_SIGNS = "¡¿°±²³´µ¶¸¹º¼½¾×÷ª¬£¥¢¨¯¦©®€"
_UNKNOWN = "?"
_SUBSTITUTES = str.maketrans(
    {
        "…": "»", "●": "•", "◐": "♦", "○": "o", "▸": "→", "▶": "→", "►": "→", "◀": "←", "◄": "←",
        "▴": "▲", "▾": "▼", "✗": "x", "✕": "x", "✘": "x", "✓": "+", "✔": "+", "›": ">", "‹": "<",
        "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": ",", "–": "-", "—": "-", "‐": "-",
        "−": "-", "\xa0": " ", "★": "*", "☆": "*", "◆": "♦", "◇": "♦", "□": "■", "▪": "■", "◦": "·",
        "∙": "·", "⋅": "·", "⏎": "→", "↵": "→", "⇥": "→", "⚠": "!", "❯": ">", "❮": "<", "☰": "=",
        "╭": "┌", "╮": "┐", "╰": "└", "╯": "┘", "━": "─", "┃": "│", "═": "─", "║": "│", "╔": "┌",
        "╗": "┐", "╚": "└", "╝": "┘", "╠": "├", "╣": "┤", "╦": "┬", "╩": "┴", "╬": "┼", "╌": "─",
        "┄": "─", "┈": "─", "╎": "│", "┆": "│", "┊": "│", "▁": " ", "▂": " ", "▃": " ", "▄": "█",
        "▅": "█", "▆": "█", "▇": "█", "▔": "─", "▀": "█", "▏": "│", "▎": "│", "▍": "│", "▌": "█",
        "▋": "█", "▊": "█", "▉": "█", "▐": "█", "▕": "│", "⎸": "│", "⎹": "│", "⎢": "│", "⎥": "│",
        "▓": "▒", "▖": " ", "▗": " ", "▘": " ", "▝": " ", "▙": "█", "▛": "█", "▜": "█", "▟": "█",
    }
)  # fmt: skip
_ELLIPSIS = re.compile("… {1,2}")


def in_console_signs(text: str) -> str:
    """Return a text of the same width that the console can show."""
    if text.isascii():
        return text
    text = _ELLIPSIS.sub(lambda found: "." * len(found[0]), text)
    text = text.translate(_SUBSTITUTES)
    return "".join(_shown(cluster.text, cluster.columns) for cluster in clusters(text))


@lru_cache(maxsize=4096)
def _shown(cluster: str, columns: int) -> str:
    character = unicodedata.normalize("NFC", cluster)[:1] if columns else ""
    is_letter = unicodedata.category(character or " ")[0] in "LN" and character < "\U00010000"
    if not (character.isascii() or is_letter or character in SIGNS + _LATIN_SIGNS):
        character = _UNKNOWN
    return character + " " * (columns - cell_len(character))
