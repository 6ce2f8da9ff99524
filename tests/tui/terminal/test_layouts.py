"""Which Latin letter a shortcut means under another layout."""

import pytest

from tertulia.tui.terminal.layouts import latin_letter


@pytest.mark.parametrize(
    ("letter", "latin", "meant"),
    [
        ("с", "c", "c"),
        ("С", None, "c"),
        ("ц", None, "w"),
        ("й", None, "q"),
        ("ψ", None, "c"),
        ("Σ", None, "s"),
        ("ς", None, "w"),
        ("ב", "c", "c"),
        ("ב", None, "ב"),
        ("a", "q", "a"),  # on a French keyboard, whose letters are Latin
        ("с", "\x1b", "c"),
        (";", "q", "q"),  # the key Q of the Greek layout
        (";", None, ";"),
        (";", "z", ";"),  # of the Dvorak layout
        ("ñ", None, "ñ"),
    ],
)
def test_a_shortcut_means_the_letter_of_a_latin_keyboard(
    letter: str, latin: str | None, meant: str
) -> None:
    assert latin_letter(letter, latin) == meant
