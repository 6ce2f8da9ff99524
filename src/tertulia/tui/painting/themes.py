"""The colour themes: dark and light, each also for terminals with 16 colours or none.

`screen.tcss` uses the variables that are not Textual's own. The themes of 16 colours use the
terminal's own colours, which its owner has chosen to be legible.
"""

from textual.theme import Theme

_DARK_NAMES = ("#7dcfff", "#9ece6a", "#e0af68", "#bb9af7", "#f7768e", "#73daca")
_LIGHT_NAMES = ("#005f87", "#3b6e00", "#8a5a00", "#6b3fa0", "#b0003a", "#00695c")
_ANSI_NAMES = ("ansi_cyan", "ansi_green", "ansi_magenta", "ansi_blue", "ansi_red", "ansi_default")


def _selection(background: str, foreground: str) -> dict[str, str]:
    """Return the colours of selected text; without them Textual makes it invisible."""
    return {
        f"{where}-selection-{ground}": colour
        for where in ("screen", "input")
        for ground, colour in (("background", background), ("foreground", foreground))
    }


_DARK = Theme(
    name="tertulia-dark",
    dark=True,
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#ff9e64",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#d5daf0",
    background="#16161e",
    surface="#1b1c27",
    panel="#24283b",
    variables={
        **{f"name-{number}": colour for number, colour in enumerate(_DARK_NAMES)},
        "faint": "#8a91b4",
        "own": "#c8d3f5",
        "mention": "#ff9e64",
        "line": "#3b4261",
        "bar": "#24283b",
        "bar-text": "#d5daf0",
        **_selection("#33467c", "#eef1ff"),
    },
)
_LIGHT = Theme(
    name="tertulia-light",
    dark=False,
    primary="#2e5fb7",
    secondary="#005f87",
    accent="#a8480a",
    warning="#8a5a00",
    error="#b0003a",
    success="#3b6e00",
    foreground="#20242e",
    background="#fafafa",
    surface="#f2f3f5",
    panel="#e3e6ec",
    variables={
        **{f"name-{number}": colour for number, colour in enumerate(_LIGHT_NAMES)},
        "faint": "#5c6370",
        "own": "#2b3245",
        "mention": "#a8480a",
        "line": "#b9bfcc",
        "bar": "#e3e6ec",
        "bar-text": "#20242e",
        **_selection("#b6ccf0", "#10131a"),
    },
)


def _with_16_colours(theme: Theme) -> Theme:
    """Return a variant of a theme in the terminal's own colours."""
    return Theme(
        name=f"{theme.name}-16",
        dark=theme.dark,
        ansi=True,
        primary="ansi_blue",
        secondary="ansi_cyan",
        accent="ansi_magenta",
        warning="ansi_yellow" if theme.dark else "ansi_red",
        error="ansi_red",
        success="ansi_green",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables={
            **{f"name-{number}": colour for number, colour in enumerate(_ANSI_NAMES)},
            "faint": "ansi_default",
            "own": "ansi_default",
            "mention": "ansi_magenta",
            "line": "ansi_blue",
            "bar": "ansi_default",
            "bar-text": "ansi_default",
            "ansi-background": "ansi_black" if theme.dark else "ansi_white",
            "ansi-foreground": "ansi_white" if theme.dark else "ansi_black",
            **_selection("ansi_blue", "ansi_bright_white"),
            "border": "ansi_blue",
            "border-blurred": "ansi_blue",
            "scrollbar": "ansi_blue",
            "scrollbar-background": "ansi_default",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-background": "ansi_default",
            "block-cursor-text-style": "reverse",
            "input-cursor-background": "ansi_default",
            "input-cursor-foreground": "ansi_default",
            "input-cursor-text-style": "reverse",
        },
    )


THEMES = [_DARK, _LIGHT, _with_16_colours(_DARK), _with_16_colours(_LIGHT)]


def theme_name(*, dark: bool, few_colours: bool) -> str:
    """Return the name of the theme for a terminal."""
    name = (_DARK if dark else _LIGHT).name
    return f"{name}-16" if few_colours else name
