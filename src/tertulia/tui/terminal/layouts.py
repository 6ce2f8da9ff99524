"""Maps shortcuts from other keyboard layouts to Latin letters: Ctrl+С (Cyrillic) is Ctrl+C.

A terminal that sends control characters knows this itself. With the keyboard protocol of kitty it
sends the letter of the layout, and if it is asked to, that of the same key on a Latin keyboard. No
Textual in here; safe in any thread.
"""

# For a terminal that does not send the second one: the usual layouts for Russian, Ukrainian, Greek.
_LATIN_LETTERS = {
    **dict(zip("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm", strict=True)),
    "і": "s",
    **dict(zip("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm", strict=True)),
}
# Signs that stand on the keys of letters, in the Greek and in the Hebrew layout.
_SIGNS = {(";", "q"), ("/", "q"), ("'", "w")}


def latin_letter(letter: str, latin: str | None) -> str:
    """Return the letter that a shortcut means; `latin` stands on its key, if that is known."""
    if letter.isascii():
        return latin if latin is not None and (letter, latin) in _SIGNS else letter
    if latin is not None and latin.isascii() and latin.isprintable():
        return latin
    return _LATIN_LETTERS.get(letter.lower(), letter)
