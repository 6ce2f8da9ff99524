"""The signs of the Linux console: its fonts have 256 or 512, and it shows a blot for the others.

Letters are left as they are, because the font may be one for their script. Every other character
becomes one that all usual fonts have, in as many cells. Pure; safe in any thread.
"""

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len

from tertulia.tui.terminal.widths import clusters

# In code page 437, which is in the kernel, and in the fonts that Linux distributions bring.
SIGNS = "§«·»←↑→↓─│┌┐└┘├┤┬┴┼█░▒■▲▼•♦"
_LATIN_SIGNS = "¡¿°±²³´µ¶¸¹º¼½¾×÷ª¬£¥¢¨¯¦©®€"  # a blot in a few of these fonts; people write them
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
    """Return a text that the console can show, of the same width."""
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
