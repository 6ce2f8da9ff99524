"""The commands of operators, typed in a chat."""

import pytest

from tertulia.chat.command_arguments import CommandError
from tertulia.chat.face_commands import PinMarked
from tertulia.chat.orders import parse_order
from tertulia.protocol.moderation import Kick, PinMessage


@pytest.mark.parametrize("line", ["/pin", "/FIJAR"])
def test_pinning_without_a_number_pins_the_marked_message(line: str) -> None:
    assert parse_order(line) == PinMarked()


def test_a_command_with_arguments_is_a_request() -> None:
    assert parse_order("/pin 12") == PinMessage(seq=12)
    assert parse_order("/kick luis") == Kick(name="luis")


def test_other_lines_are_left_to_other_parsers() -> None:
    assert parse_order("/users") is None


def test_a_command_that_cannot_be_carried_out_says_what_to_do() -> None:
    with pytest.raises(CommandError, match=r"^Give a name: /kick NAME$"):
        parse_order("/kick")
