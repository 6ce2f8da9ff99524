"""The commands of operators in a chat; the server's console shares their table.

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
    """Parse a command of operators; return None for any other line. Raises CommandError."""
    if find_operator_command(line) is PIN:  # without an argument
        return PinMarked()
    try:
        return parse_operator_command(line)
    except BadCommand as error:
        raise CommandError(str(error)) from None
