"""What Tab and the page offer for a word that has begun.

What the page has in common with this is in tests/vectors/commands.json. Here is the rest: other
spellings and scripts, signs before a name, and the face line by line.
"""

import pytest

from tertulia.chat.completion import complete
from tertulia.i18n import set_language

NAMES = ["luis", "Lucía", "José", "zoe"]


@pytest.mark.parametrize(
    ("before", "start", "candidates"),
    [
        # A name in another spelling.
        ("ＬＵ", 0, ["luis: ", "Lucía: "]),
        ("luci\u0301", 0, ["Lucía: "]),
        # Signs before the name.
        ("hello @lu", 6, ["@luis ", "@Lucía "]),
        ("hello @", 6, ["@luis ", "@Lucía ", "@José ", "@zoe "]),
        ("hello ＠jo", 6, ["@José "]),
        ("hello, ¡zo", 8, ["zoe "]),
        ("hello (@lu", 7, ["@luis", "@Lucía"]),
        ('"jo', 1, ["José"]),
        ("«jo", 1, ["José"]),
        ("luis,jo", 5, ["José "]),
        ("...jo", 3, ["José "]),
        ("/info @jo", 6, ["@José "]),
        ("/info\t@", 6, ["@luis ", "@Lucía ", "@José ", "@zoe "]),
        ("a-lu", 0, []),
        ("hello /us", 6, []),  # a command begins the line
    ],
)
def test_completion_offers_what_can_stand_there(
    before: str, start: int, candidates: list[str]
) -> None:
    assert complete(before, NAMES) == (start, candidates)


@pytest.mark.parametrize(
    ("before", "start", "candidates"),
    [
        ("太", 0, ["太郎: "]),
        ("こんにちは太", 5, ["太郎"]),
        ("こんにちは @太", 6, ["@太郎 "]),
        ("こんにちは@太", 5, ["@太郎"]),
        ("नमस्ते हि", 7, ["हिन्दी "]),
        ("@हिन्", 0, ["@हिन्दी "]),
        ("@मी", 0, ["@मीरा "]),
        ("@म", 0, ["@मीरा "]),
        ("สวัสดีมา", 6, ["มานี"]),
        ("@มา", 0, ["@มานี "]),
        ("민", 0, ["민수: "]),
        ("@ΣΙ", 0, ["@Σίσυφος "]),
    ],
)
def test_completion_knows_all_scripts(before: str, start: int, candidates: list[str]) -> None:
    names = ["太郎", "हिन्दी", "मीरा", "มานี", "민수", "Σίσυφος"]
    assert complete(before, names) == (start, candidates)


def test_completion_prefers_the_words_of_the_language() -> None:
    set_language("es")
    assert complete("/u", NAMES).candidates == ["/usuarios", "/users", "/unignore "]
    assert complete("/estado ", NAMES).candidates == ["activo", "ocupado", "inactivo"]


def test_the_commands_of_the_full_screen_are_completed_there_alone() -> None:
    assert complete("/rese", NAMES).candidates == []
    assert complete("/rese", NAMES, on_screen=True).candidates == ["/resend"]
    assert complete("/notify m", NAMES, on_screen=True).candidates == ["mentions", "menciones"]
