"""Maps shortcuts from other keyboard layouts to Latin letters: Ctrl+С (Cyrillic) is Ctrl+C.

A terminal that sends control characters does this itself. With kitty's keyboard protocol it sends
the letter of the layout and, on request, the letter of the same key on a Latin keyboard. No Textual
here; safe in any thread.
"""

# For a terminal that does not send the Latin letter: the usual layouts for Russian, Ukrainian and
# Greek.
_LATIN_LETTERS = {
    **dict(zip("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm", strict=True)),
    "і": "s",
    **dict(zip("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm", strict=True)),
}
# Characters on the keys of these letters, in the Greek and in the Hebrew layout.
_SIGNS = {(";", "q"), ("/", "q"), ("'", "w")}


def latin_letter(letter: str, latin: str | None) -> str:
    """Return the letter that a shortcut means; `latin` is the Latin letter of its key, if known."""
    if letter.isascii():
        return latin if latin is not None and (letter, latin) in _SIGNS else letter
    if latin is not None and latin.isascii() and latin.isprintable():
        return latin
    return _LATIN_LETTERS.get(letter.lower(), letter)
