"""The colour themes: dark and light, each for 24 bit, for 256 and for 16 colours.

`screen.tcss` uses the variables that Textual does not define. The themes for 256 colours use only
colours of that palette, because a terminal would change all others. The themes for 16 colours use
the terminal's own colours, which its user has chosen to be legible.
"""

from textual.theme import Theme

from tertulia.tui.terminal.abilities import Colours


def _variables(
    names: tuple[str, ...],
    *,
    faint: str,
    own: str,
    mention: str,
    line: str,
    bar: str,
    text: str,
    selection: tuple[str, str],
    ground: str,
) -> dict[str, str]:
    """Return the variables of a theme; `selection` is the background and the text on it."""
    return {
        **{f"name-{number}": colour for number, colour in enumerate(names)},
        "faint": faint,
        "own": own,
        "mention": mention,
        "line": line,
        "bar": bar,
        "bar-text": text,
        # Without these variables Textual makes selected text invisible.
        **{
            f"{where}-selection-{ground}": colour
            for where in ("screen", "input")
            for ground, colour in zip(("background", "foreground"), selection, strict=True)
        },
        # Textual would calculate these from other colours.
        "border": line,
        "border-blurred": line,
        "scrollbar": line,
        "scrollbar-hover": faint,
        "scrollbar-active": faint,
        "scrollbar-background": ground,
        "scrollbar-background-hover": ground,
        "scrollbar-background-active": ground,
        "scrollbar-corner-color": ground,
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
    variables=_variables(
        ("#7dcfff", "#9ece6a", "#e0af68", "#bb9af7", "#f7768e", "#73daca"),
        faint="#8a91b4",
        own="#c8d3f5",
        mention="#ff9e64",
        line="#3b4261",
        bar="#24283b",
        text="#d5daf0",
        selection=("#33467c", "#eef1ff"),
        ground="#16161e",
    ),
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
    variables=_variables(
        ("#005f87", "#3b6e00", "#8a5a00", "#6b3fa0", "#b0003a", "#00695c"),
        faint="#5c6370",
        own="#2b3245",
        mention="#a8480a",
        line="#b9bfcc",
        bar="#e3e6ec",
        text="#20242e",
        selection=("#b6ccf0", "#10131a"),
        ground="#fafafa",
    ),
)
# Rich changes each grey; here are those that it changes into the intended grey.
_DARK_256 = Theme(
    name="tertulia-dark-256",
    dark=True,
    primary="#87afff",
    secondary="#87d7ff",
    accent="#ffaf5f",
    warning="#d7af5f",
    error="#ff87af",
    success="#afd75f",
    foreground="#dadada",
    background="#121212",
    surface="#1c1c1c",
    panel="#303030",
    variables=_variables(
        ("#87d7ff", "#afd75f", "#d7af5f", "#d7afff", "#ff87af", "#5fd7af"),
        faint="#a8a8a8",
        own="#d7d7ff",
        mention="#ffaf5f",
        line="#585858",
        bar="#303030",
        text="#dadada",
        selection=("#005f87", "#ffffff"),
        ground="#121212",
    ),
)
_LIGHT_256 = Theme(
    name="tertulia-light-256",
    dark=False,
    primary="#005faf",
    secondary="#005f87",
    accent="#875f00",
    warning="#875f00",
    error="#af005f",
    success="#005f00",
    foreground="#262626",
    background="#ffffff",
    surface="#f5f5f5",
    panel="#e8e8e8",
    variables=_variables(
        ("#005f87", "#005f00", "#875f00", "#5f00af", "#af005f", "#005f5f"),
        faint="#585858",
        own="#00005f",
        mention="#af0000",
        line="#b2b2b2",
        bar="#e8e8e8",
        text="#262626",
        selection=("#afd7ff", "#121212"),
        ground="#ffffff",
    ),
)


def _with_16_colours(theme: Theme, names: tuple[str, ...], bright: str) -> Theme:
    """Return a variant of a theme in the terminal's own colours.

    All bright colours except blue are legible on black in every terminal; on white, only blue, red
    and magenta are.
    """
    return Theme(
        name=f"{theme.name}-16",
        dark=theme.dark,
        ansi=True,
        primary="ansi_bright_cyan" if theme.dark else "ansi_blue",
        secondary="ansi_bright_cyan" if theme.dark else "ansi_blue",
        accent="ansi_bright_magenta" if theme.dark else "ansi_blue",
        warning="ansi_bright_yellow" if theme.dark else "ansi_red",
        error=f"ansi_{bright}red",
        success=f"ansi_{bright}green",
        foreground="ansi_default",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        boost="ansi_default",
        variables={
            **_variables(
                (*(f"ansi_{bright}{name}" for name in names), "ansi_default"),
                faint="ansi_default",
                own="ansi_default",
                mention="ansi_bright_magenta" if theme.dark else "ansi_red",
                line="ansi_bright_black",
                bar="ansi_default",
                text="ansi_default",
                # The selection is reversed in screen.tcss.
                selection=("ansi_default", "ansi_default"),
                ground="ansi_default",
            ),
            "ansi-background": "ansi_black" if theme.dark else "ansi_white",
            "ansi-foreground": "ansi_white" if theme.dark else "ansi_black",
            "block-cursor-foreground": "ansi_default",
            "block-cursor-background": "ansi_default",
            "block-cursor-text-style": "reverse",
            "input-cursor-background": "ansi_default",
            "input-cursor-foreground": "ansi_default",
            "input-cursor-text-style": "reverse",
        },
    )


_DARK_16 = _with_16_colours(_DARK, ("cyan", "green", "yellow", "magenta", "red"), bright="bright_")
_LIGHT_16 = _with_16_colours(_LIGHT, ("blue", "red", "magenta", "blue", "red"), bright="")


_THEMES = {
    (theme.dark, colours): theme
    for colours, themes in {
        Colours.FULL: (_DARK, _LIGHT),
        Colours.PALETTE: (_DARK_256, _LIGHT_256),
        Colours.FEW: (_DARK_16, _LIGHT_16),
    }.items()
    for theme in themes
}
THEMES = list(_THEMES.values())


def theme_name(*, dark: bool, colours: Colours) -> str:
    """Return the name of the theme for a terminal; one without colours uses the theme for 16."""
    return _THEMES[dark, colours or Colours.FEW].name
