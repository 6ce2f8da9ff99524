"""The picture has live figures at each arrow, and shows where nothing flows."""

import msgspec
import pytest
from seen import figures

from tertulia.i18n import set_language
from tertulia.watch.figures import PathFigures
from tertulia.watch.picture import PICTURE_FROM, STYLES, picture


def text_of(rows):
    return ["".join(text for text, _style in row).rstrip() for row in rows]


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("width", [55, 58, PICTURE_FROM - 1, PICTURE_FROM, 78, 116, 200])
def test_all_parts_and_figures_are_there_in_every_width(lang, width):
    set_language(lang)
    rows = picture(figures(), width, 0)
    shown = "\n".join(text_of(rows))
    for part in ("Acceptor", "Workers", "Hub", "EventLog", "History"):
        assert part in shown
    for figure in ("1.5/s", "104/s", "100/s", "10.0k/s"):
        assert figure in shown
    assert max(map(len, text_of(rows))) <= width
    assert {style for row in rows for _text, style in row} <= {"", "warning", *STYLES}


def test_a_dot_moves_only_where_something_flows():
    at_rest = figures(path=PathFigures(accepted=0.0, requests=0.0, events=2.0, deliveries=0.0))
    first, second = (text_of(picture(at_rest, 116, beat))[2] for beat in (0, 1))
    assert first.count("●") == second.count("●") == 1
    assert first.index("●") < second.index("●")


def test_readers_that_have_stopped_are_named_and_without_history_there_is_none():
    room = msgspec.structs.replace(figures().room, slow=4, has_history=False)
    shown = text_of(picture(figures(room=room), 116, 0))
    assert shown[3].endswith("4 do not read")
    assert shown[4].endswith("History  off")


def test_what_is_not_known_is_a_question_mark():
    assert text_of(picture(figures(path=PathFigures()), 116, 0))[1].split() == ["?/s"] * 5
