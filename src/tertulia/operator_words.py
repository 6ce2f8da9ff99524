"""Texts for operators: the answer to each of their requests, in the user's language.

The chat and the console of the server's machine use this module, and it imports neither. Users'
texts are made safe to show. Pure; safe in any thread.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import UNSET, UnsetType

from tertulia.i18n import N_, _, ngettext
from tertulia.operator_commands import BANS, HOOKS, UNBAN, UNHOOK, UNMUTE
from tertulia.protocol.attendance import AttendanceRow, ListAttendance
from tertulia.protocol.hooks import CreateHook, HookCreated, HookRow, RemoveHook
from tertulia.protocol.messages import CloseReason, Error, ErrorCode, Request, User
from tertulia.protocol.moderation import (
    SERVER_NAME,
    BanRow,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    PinMessage,
    ReleaseName,
    SetHush,
    SetLock,
)
from tertulia.protocol.networks import parse_network
from tertulia.safetext import visible_in_a_line

_REASONS: dict[str, str] = {
    CloseReason.QUIT: "",
    CloseReason.KICKED: N_("removed by an operator"),
    CloseReason.LOST: N_("connection lost"),
    CloseReason.TIMEOUT: N_("stopped answering"),
    CloseReason.SLOW: N_("connection too slow"),
    CloseReason.FLOOD: N_("sent too many messages at once"),
    CloseReason.PROTOCOL: N_("the program sent invalid data"),
    CloseReason.REPLACED: N_("came back with another connection"),
    CloseReason.SHUTDOWN: N_("the server stopped"),
}
_MINUTES_IN_AN_HOUR, _MINUTES_IN_A_DAY = 60, 1_440


def done(request: Request) -> str:
    """Return the result of a request that the server has answered with `ok`."""
    match request:
        case Kick():
            text = _("{name} is no longer in the chat.")
            return text.format(name=visible_in_a_line(request.name))
        case ImposeBan():
            text = _("{target} may not come in{time}. {command} lifts that.")
            target = target_words(request.name, request.address)
            command = f"{UNBAN.word} {target}"
            return text.format(target=target, time=how_long(request.minutes), command=command)
        case LiftBan():
            text = _("{target} may come in again.")
            return text.format(target=target_words(request.name, request.address))
        case ImposeMute():
            text = _("{name} may not speak{time}. {command} lifts that.")
            name = visible_in_a_line(request.name)
            command = f"{UNMUTE.word} {name}"
            return text.format(name=name, time=how_long(request.minutes), command=command)
        case LiftMute():
            return _("{name} may speak again.").format(name=visible_in_a_line(request.name))
        case ReleaseName():
            return _("The name {name} is free.").format(name=visible_in_a_line(request.name))
        case RemoveHook():
            text = _("No program can speak as {name} any more.")
            return text.format(name=visible_in_a_line(request.name))
        case SetHush():
            if request.on:
                return _("Only operators may speak in the general chat now.")
            return _("Everyone may speak in the general chat again.")
        case SetLock():
            return _("Nobody new may come in now.") if request.on else _("Everyone may come in.")
        case PinMessage():
            if request.seq is UNSET:
                return _("No message is pinned now.")
            return _("The message is pinned.")
        case _:
            return _("Done.")


def bans(rows: Sequence[BanRow]) -> list[str]:
    """Return a line for each ban."""
    return [ban_words(row) for row in rows] or [_("Nobody is banned.")]


def ban_words(row: BanRow) -> str:
    """Return who may not enter, until when, who decided it and why."""
    who = ", ".join(part for part in (row.name, row.address) if isinstance(part, str))
    until = _("until {time}").format(time=local_time(row.until)) if row.until else ""
    by = _("by the console") if row.by == SERVER_NAME else _("by {name}").format(name=row.by)
    parts = (who, until, by, row.reason or "")
    return visible_in_a_line("  ".join(part for part in parts if part))


def hook_created(created: HookCreated, server: str, options: str = "") -> list[str]:
    """Return how to use a new hook: the text before the command, the command, the text after it.

    `server` is the beginning of a link, and `options` are the options for curl.
    """
    text, curl = _("TEXT"), f"curl {options}".strip()
    name = visible_in_a_line(created.name)
    return [
        _("A program can now speak as {name}:").format(name=name),
        f'  {curl} -d "{text}" {server}{visible_in_a_line(created.path)}',
        _("Keep this address secret. It is shown only now. {command} removes it.").format(
            command=f"{UNHOOK.word} {name}"
        ),
    ]


def hooks(rows: Sequence[HookRow]) -> list[str]:
    """Return a line for each hook."""
    if not rows:
        return [_("There are no secret addresses for programs.")]
    lines = []
    for row in rows:
        by = _("by the console") if row.by == SERVER_NAME else _("by {name}").format(name=row.by)
        made = _("since {time}").format(time=local_time(row.time))
        used = _("last used {time}").format(time=local_time(row.used)) if row.used else ""
        parts = (row.name, by, made, used)
        lines.append(visible_in_a_line("  ".join(part for part in parts if part)))
    return lines


def session_words(row: AttendanceRow) -> str:
    """Return a line for a session of the attendance."""
    if row.left is UNSET:
        text = _("{name}  {address}  since {joined}, still here")
    else:
        text = _("{name}  {address}  from {joined} to {left}  {reason}")
    return text.format(
        name=visible_in_a_line(row.name),
        address=visible_in_a_line(row.address),
        joined=local_time(row.joined),
        left=local_time(row.left),
        reason=reason_words(row.reason or ""),
    ).rstrip()


def reason_words(reason: str) -> str:
    """Return why a session has ended; an empty text for a user who simply left."""
    known = _REASONS.get(reason)
    return visible_in_a_line(reason) if known is None else _(known) if known else ""


def fits(users: Sequence[User]) -> str:
    """Return the users whose sessions a ban would end."""
    text = ngettext(
        "This ends the session of {count} person: {names}",
        "This ends the sessions of {count} people: {names}",
        len(users),
    )
    return text.format(count=len(users), names=", ".join(user.name for user in users))


def refused(request: Request, error: Error) -> str:
    """Return why the server has refused a request, and what to do."""
    name = visible_in_a_line(error.name) if error.name else ""
    match error.code:
        case ErrorCode.USER_NOT_CONNECTED:
            return _("{name} is not here.").format(name=name or "?")
        case ErrorCode.NOT_FOUND if isinstance(request, LiftBan):
            text = _("There is no such ban. {command} shows all.")
            return text.format(command=BANS.word)
        case ErrorCode.NOT_FOUND if isinstance(request, LiftMute):
            return _("{name} may speak already.").format(name=visible_in_a_line(request.name))
        case ErrorCode.NOT_FOUND if isinstance(request, ReleaseName):
            return _("The name {name} is not held.").format(name=visible_in_a_line(request.name))
        case ErrorCode.NOT_FOUND if isinstance(request, RemoveHook):
            text = _("There is no secret address with this name. {command} shows all.")
            return text.format(command=HOOKS.word)
        case ErrorCode.NOT_FOUND if isinstance(request, CreateHook):
            return _("This server was started with --web off, so programs cannot reach it.")
        case ErrorCode.NAME_TAKEN | ErrorCode.NAME_HELD if isinstance(request, CreateHook):
            text = _("The name {name} is taken. Choose another one.")
            return text.format(name=visible_in_a_line(request.name))
        case ErrorCode.NAME_INVALID:
            return _("A name has 1 to 32 letters, digits, “_”, “-” or “.”, and no spaces.")
        case ErrorCode.BUSY if isinstance(request, CreateHook):
            text = _("There are too many secret addresses. {command} shows them: remove some.")
            return text.format(command=HOOKS.word)
        case ErrorCode.NOT_FOUND:
            return _("There is no message with this number.")
        case ErrorCode.ADDRESS_INVALID if _is_oneself(request):
            return _("Nothing was done: this would ban you too. Ban a name, or a smaller network.")
        case ErrorCode.ADDRESS_INVALID:
            return _("That is not an address or a network. Write 10.0.0.7 or 10.0.0.0/28.")
        case ErrorCode.TEXT_TOO_LONG:
            return _("The reason is too long: it can have 200 characters.")
        case ErrorCode.TEXT_INVALID:
            return _("The reason cannot contain control characters.")
        case ErrorCode.UNAVAILABLE if isinstance(request, ListAttendance):
            return _("The history cannot be read now. Try again in a moment.")
        case ErrorCode.HISTORY_OFF if isinstance(request, ListAttendance):
            return _("This server keeps no history, and so it does not know who was here.")
        case ErrorCode.UNAVAILABLE:
            return _("It holds now, but could not be stored: a restart would forget it.")
        case ErrorCode.HISTORY_OFF:
            return _("This server keeps no messages.")
        case ErrorCode.BUSY:
            text = _("There are too many bans or mutes. {command} shows them: lift some of them.")
            return text.format(command=BANS.word)
        case _:
            return visible_in_a_line(error.message)


def target_words(name: str | UnsetType, address: str | UnsetType) -> str:
    """Return the name or the address that a ban is about."""
    return visible_in_a_line(str(address if name is UNSET else name))


def how_long(minutes: float | UnsetType) -> str:
    """Return the duration of a rule, to be added after a word; "" if it has no end."""
    if minutes is UNSET:
        return ""
    count = int(minutes)
    if count % _MINUTES_IN_A_DAY == 0:
        count //= _MINUTES_IN_A_DAY
        text = ngettext(" for {count} day", " for {count} days", count)
    elif count % _MINUTES_IN_AN_HOUR == 0:
        count //= _MINUTES_IN_AN_HOUR
        text = ngettext(" for {count} hour", " for {count} hours", count)
    else:
        text = ngettext(" for {count} minute", " for {count} minutes", count)
    return text.format(count=count)


def local_time(time: str | UnsetType) -> str:
    """Return a time of the server as the local date and time."""
    try:
        return datetime.fromisoformat(str(time)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return "?"


def _is_oneself(request: Request) -> bool:
    """Return whether a ban was surely refused because it would include the operator."""
    if not isinstance(request, ImposeBan):
        return False
    return request.address is UNSET or parse_network(request.address) is not None
