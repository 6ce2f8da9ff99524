"""The commands of operators as a chat has them: the table is shared with the server's console.

Pure functions.
"""

from tertulia.chat.command_arguments import CommandError
from tertulia.chat.face_commands import PinMarked
from tertulia.operator_commands import (
    PIN,
    BadCommand,
    ShowAttendance,
    find_operator_command,
    parse_operator_command,
)
from tertulia.protocol.moderation import OperatorRequest


def parse_order(line: str) -> OperatorRequest | PinMarked | ShowAttendance | None:
    """Parse a command of operators; None if it is none. Raises CommandError."""
    if find_operator_command(line) is PIN:  # without anything after it
        return PinMarked()
    try:
        return parse_operator_command(line)
    except BadCommand as error:
        raise CommandError(str(error)) from None
