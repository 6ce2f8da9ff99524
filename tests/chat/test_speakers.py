"""The name before a message."""

from tertulia.chat.speakers import speaker_words
from tertulia.i18n import set_language


def test_the_name_of_a_hook_is_marked() -> None:
    assert speaker_words("build") == "build"
    assert speaker_words("build", hook=True) == "build (hook)"
    set_language("es")
    assert speaker_words("build", hook=True) == "build (aviso web)"


def test_a_name_cannot_control_the_terminal() -> None:
    assert speaker_words("a\x1b\nb") == "a␛␊b"
    assert speaker_words("a\x1b\nb", hook=True) == "a␛␊b (hook)"
