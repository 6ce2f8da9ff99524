"""What a user reads after copying a text."""

from tertulia.tui.widgets.copying import copied_words


def test_a_text_is_said_to_be_copied_only_if_the_terminal_lets_programs_copy() -> None:
    assert copied_words(has_clipboard=True) == "Copied."
    words = copied_words(has_clipboard=False)
    assert not words.startswith("Copied.")
    assert words.endswith("press F7, or drag with Shift held down.")
