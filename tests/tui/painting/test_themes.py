"""The colours: legible on everything they are painted on."""

from collections.abc import Callable

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from tertulia.tui.painting.painter import NAME_STYLES
from tertulia.tui.painting.themes import THEMES, theme_name
from tertulia.tui.terminal.abilities import Colours

ENOUGH = 4.5  # WCAG 2, level AA, for text of a usual size
EVERYWHERE = ("foreground", "error", "warning", "success", "primary")
LEGIBLE = ("faint", "own", "mention", "bar-text", *NAME_STYLES)
FULL = [theme for theme in THEMES if not theme.ansi]
FEW = [theme for theme in THEMES if theme.ansi]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = Color.parse(colour).normalized
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def inks(theme: Theme) -> dict[str, str]:
    named = {name: getattr(theme, name) for name in EVERYWHERE}
    return named | {name: theme.variables[name] for name in LEGIBLE}


def test_contrast_is_computed_as_it_is_defined() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", FULL, ids=lambda theme: theme.name)
def test_every_colour_is_legible_on_every_background(theme: Theme) -> None:
    grounds = {
        "background": theme.background,
        "surface": theme.surface,
        "bar": theme.variables["bar"],
    }
    poor = {
        (ink, ground): round(contrast(colour, behind), 2)
        for ink, colour in inks(theme).items()
        for ground, behind in grounds.items()
        if behind is None or contrast(colour, behind) < ENOUGH
    }
    assert poor == {}


@pytest.mark.parametrize("theme", FULL, ids=lambda theme: theme.name)
def test_the_lines_between_columns_are_seen_and_fainter_than_text(theme: Theme) -> None:
    assert theme.background is not None
    line = contrast(theme.variables["line"], theme.background)
    assert 1.5 < line < contrast(theme.variables["faint"], theme.background)


@pytest.mark.parametrize("theme", FULL, ids=lambda theme: theme.name)
def test_names_differ_in_colour(theme: Theme) -> None:
    assert len({theme.variables[name] for name in NAME_STYLES}) == len(NAME_STYLES)


@pytest.mark.parametrize("theme", FEW, ids=lambda theme: theme.name)
def test_with_few_colours_all_are_the_terminals_own_and_text_is_on_its_own_ground(
    theme: Theme,
) -> None:
    grounds = {theme.background, theme.surface, theme.panel, theme.variables["bar"]}
    assert grounds == {"ansi_default"}
    assert theme.foreground == "ansi_default"
    colours = {theme.secondary, theme.accent, *inks(theme).values()}
    assert all(str(colour).startswith("ansi_") for colour in colours)
    assert not {"ansi_black", "ansi_white", "ansi_bright_black", "ansi_bright_white"} & colours
    if not theme.dark:
        assert not {"ansi_yellow", "ansi_bright_yellow"} & colours


def test_every_theme_has_the_same_variables() -> None:
    for theme in THEMES:
        assert set(FULL[0].variables) <= set(theme.variables), theme.name


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("colours", Colours)
def test_there_is_a_theme_for_every_terminal(dark: bool, colours: Colours) -> None:
    [theme] = [t for t in THEMES if t.name == theme_name(dark=dark, colours=colours)]
    assert (theme.dark, theme.ansi) == (dark, colours <= Colours.FEW)


def in_256_colours(colour: str) -> str:
    """Return what a terminal with 256 colours shows of a colour."""
    near = RichColor.parse(colour).downgrade(ColorSystem.EIGHT_BIT)
    return near.get_truecolor().hex


@pytest.mark.parametrize("theme", FULL, ids=lambda theme: theme.name)
@pytest.mark.parametrize("where", ["screen", "input"])
@pytest.mark.parametrize("shown", [str, in_256_colours], ids=["24 bit", "256 colours"])
def test_selected_text_is_legible(theme: Theme, where: str, shown: Callable[[str], str]) -> None:
    variables = theme.variables
    foreground = shown(variables[f"{where}-selection-foreground"])
    background = shown(variables[f"{where}-selection-background"])
    assert contrast(foreground, background) >= ENOUGH
    assert contrast(background, shown(str(theme.background))) >= 1.3, "it does not stand out"


@pytest.mark.parametrize("dark", [True, False])
def test_the_colours_for_a_palette_of_256_are_in_it(dark: bool) -> None:
    [theme] = [t for t in THEMES if t.name == theme_name(dark=dark, colours=Colours.PALETTE)]
    colours = {theme.background, theme.surface, theme.panel, *theme.variables.values()}
    for colour in map(str, {*colours, *inks(theme).values()}):
        shown, meant = Color.parse(in_256_colours(colour)), Color.parse(colour)
        is_grey = meant.r == meant.g == meant.b
        assert shown.r == shown.g == shown.b if is_grey else shown == meant, colour
        assert abs(shown.r - meant.r) <= 10, colour
