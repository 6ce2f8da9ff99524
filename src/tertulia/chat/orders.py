"""The commands of operators as a chat has them: the table is shared with the server's console.

Pure functions.
"""

from tertulia.chat.command_arguments import CommandError
from tertulia.chat.face_commands import PinMarked
from tertulia.i18n import _
from tertulia.operator_commands import (
    ATTENDANCE,
    HOOK,
    HOOKS,
    OPERATOR_COMMANDS,
    PIN,
    UNHOOK,
    BadCommand,
    ShowAttendance,
    find_operator_command,
    parse_operator_command,
)
from tertulia.protocol.hooks import CreateHook, ListHooks, RemoveHook
from tertulia.protocol.moderation import OperatorRequest

_ON_THE_SERVER = (ATTENDANCE, HOOK, HOOKS, UNHOOK)
ORDERS = tuple(command for command in OPERATOR_COMMANDS if command not in _ON_THE_SERVER)


def parse_order(line: str) -> OperatorRequest | PinMarked | None:
    """Parse a command of operators; None if it is none. Raises CommandError."""
    if find_operator_command(line) is PIN:  # without anything after it
        return PinMarked()
    try:
        wanted = parse_operator_command(line)
    except BadCommand as error:
        raise CommandError(str(error)) from None
    if isinstance(wanted, ShowAttendance):
        text = _("The computer of the server has that: {command}")
        raise CommandError(text.format(command="tertulia-server PORT --attendance FILE.csv"))
    if isinstance(wanted, CreateHook | ListHooks | RemoveHook):
        text = _("The console on the computer of the server has that: {command}")
        raise CommandError(text.format(command="tertulia-server PORT --operator"))
    return wanted
