"""Every refusal that the server sends: its code, and English words for a person with `nc`."""

from msgspec import UNSET, UnsetType

from tertulia.protocol.attendance import AskSeenBy
from tertulia.protocol.hooks import CreateHook, RemoveHook
from tertulia.protocol.messages import (
    PROTOCOL_VERSION,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetInfo,
    Register,
    Request,
    Say,
    Search,
    SetStatus,
    Status,
)
from tertulia.protocol.moderation import (
    BecomeOperator,
    ImposeBan,
    ImposeMute,
    Kick,
    LiftBan,
    LiftMute,
    PinMessage,
    ReleaseName,
)
from tertulia.protocol.names import is_reserved
from tertulia.protocol.texts import MAX_TEXT_BYTES

_BUSY_RETRY_AFTER_S = 1.0
_TEXT_PROBLEMS = {
    ErrorCode.TEXT_INVALID: (
        "a text needs at least one visible character and cannot contain control characters"
    ),
    ErrorCode.TEXT_TOO_LONG: f"a text can have at most {MAX_TEXT_BYTES} bytes: send it in parts",
}


def not_registered(request_id: int | UnsetType) -> Error:
    """Refuse a request that needs a registration."""
    reason = 'register first: {"type":"register","name":"..."}'
    return Error(id=request_id, code=ErrorCode.NOT_REGISTERED, message=reason)


def already_registered(request: Register, name: str) -> Error:
    """Refuse a second registration."""
    reason = f"you are already registered as '{name}'"
    return Error(id=request.id, code=ErrorCode.ALREADY_REGISTERED, message=reason)


def protocol_unsupported(request: Register) -> Error:
    """Refuse a client that speaks another version of the protocol."""
    reason = f"this server supports only version {PROTOCOL_VERSION} of the protocol"
    return Error(id=request.id, code=ErrorCode.PROTOCOL_UNSUPPORTED, message=reason)


def code_required(request: Register) -> Error:
    """Refuse a registration that lacks the code."""
    reason = 'this server asks for a code: {"type":"register","name":"...","code":"..."}'
    return Error(id=request.id, code=ErrorCode.CODE_REQUIRED, message=reason)


def code_wrong(request: Register) -> Error:
    """Refuse a registration with another code."""
    reason = "this is not the code of this server"
    return Error(id=request.id, code=ErrorCode.CODE_WRONG, message=reason)


def guessed_too_often(request_id: int | UnsetType, retry_after_s: float) -> Error:
    """Refuse to look at a secret, because too many wrong ones came from this address."""
    return Error(
        id=request_id,
        code=ErrorCode.RATE_LIMITED,
        message=f"too many wrong attempts from this address: try again in {retry_after_s:.0f} s",
        retry_after=round(retry_after_s, 3),
    )


def name_invalid(request: Register | CreateHook) -> Error:
    """Refuse a text that cannot be a name."""
    reason = (
        "a name has 1 to 32 letters, digits, '_', '-' or '.', and begins with a letter or a digit"
    )
    if is_reserved(request.name):
        reason = "this word cannot be a name: the chat needs it for itself"
    return Error(id=request.id, code=ErrorCode.NAME_INVALID, message=reason)


def registration(request: Register, code: ErrorCode, address: str, name: str) -> Error:
    """Refuse a registration; `name` is that of the session in the way, if the name is taken."""
    match code:
        case ErrorCode.NAME_TAKEN:
            reason = f"a user '{name}' is already connected: choose another name"
            return Error(id=request.id, code=code, message=reason, name=name)
        case ErrorCode.NAME_HELD:
            reason = "this name is kept for another person: choose another name"
            return Error(id=request.id, code=code, message=reason)
        case ErrorCode.ADDRESS_TAKEN:
            reason = f"a user from {address} is already connected"
            reason += " (--shared-addresses allows several)"
            return Error(id=request.id, code=code, message=reason)
        case _:
            return server_full(request.id)


def banned(
    request_id: int | UnsetType, until: str | None, text: str | None, retry_after_s: float | None
) -> Error:
    """Refuse a newcomer whom an operator has banned; `text` is the reason, if there is one."""
    reason = "you are banned from this chat" + (f" until {until}" if until else "")
    return Error(
        id=request_id,
        code=ErrorCode.BANNED,
        message=f"{reason}: {text}" if text else reason,
        text=text or UNSET,
        retry_after=UNSET if retry_after_s is None else round(retry_after_s, 3),
    )


def locked(request_id: int | UnsetType) -> Error:
    """Refuse a newcomer while only recent users may return."""
    reason = "an operator has locked this chat: ask for it to be opened"
    return Error(id=request_id, code=ErrorCode.LOCKED, message=reason)


def server_full(request_id: int | UnsetType = UNSET) -> Error:
    """Refuse one more connection or user."""
    reason = "the server is full: try again later"
    return Error(id=request_id, code=ErrorCode.SERVER_FULL, message=reason)


def tls_required() -> Error:
    """Refuse a connection without TLS."""
    reason = "this server speaks only TLS: connect with TLS (tertulia NAME tls://ADDRESS PORT)"
    return Error(code=ErrorCode.TLS_REQUIRED, message=reason)


def register_timeout(timeout_s: float) -> Error:
    """Explain why a connection that has not registered is closed."""
    reason = f"you did not register within {timeout_s:g} s"
    return Error(code=ErrorCode.REGISTER_TIMEOUT, message=reason)


def no_proxy_header() -> Error:
    """Explain why a connection is closed that does not begin as that of a proxy has to."""
    reason = (
        "a proxy has to begin with a PROXY header, version 1 or 2: the option --proxy-from names "
        "this address"
    )
    return Error(code=ErrorCode.MALFORMED, message=reason)


def line_too_long(max_line_bytes: int) -> Error:
    """Explain why a connection is closed in the middle of a line."""
    reason = f"a line can have at most {max_line_bytes} bytes, including the newline"
    return Error(code=ErrorCode.LINE_TOO_LONG, message=reason)


def text_refused(request: Say | Direct | Search, problem: ErrorCode) -> Error:
    """Refuse a text."""
    return Error(id=request.id, code=problem, message=_TEXT_PROBLEMS[problem])


def status_invalid(request: SetStatus | Register) -> Error:
    """Refuse an unknown status."""
    reason = f"the status must be one of {', '.join(Status)}"
    return Error(id=request.id, code=ErrorCode.STATUS_INVALID, message=reason)


def not_connected(request: Direct | GetInfo | Kick | ImposeBan | ImposeMute, name: str) -> Error:
    """Refuse a request that names a user who is not connected."""
    reason = f"no user '{name[:64]}' is connected"
    return Error(id=request.id, code=ErrorCode.USER_NOT_CONNECTED, message=reason, name=name)


def busy(request: Direct) -> Error:
    """Refuse a direct message for now, because its receiver has too many that wait."""
    return Error(
        id=request.id,
        code=ErrorCode.BUSY,
        message=f"'{request.to[:64]}' has too many direct messages waiting: try again later",
        name=request.to,
        retry_after=_BUSY_RETRY_AFTER_S,
    )


def undelivered(request_id: int | UnsetType, message: DirectMessage) -> Error:
    """Report that the receiver of a direct message was gone before it confirmed it."""
    return Error(
        id=request_id,
        code=ErrorCode.UNDELIVERED,
        message=f"'{message.to}' left without confirming the message",
        name=message.to,
        nonce=message.nonce,
    )


def rate_limited(request_id: int | UnsetType, retry_after_s: float) -> Error:
    """Refuse a request for now."""
    return Error(
        id=request_id,
        code=ErrorCode.RATE_LIMITED,
        message=f"too many requests: try again in {retry_after_s:.3f} s",
        retry_after=round(retry_after_s, 3),
    )


def too_much_free(retry_after_s: float) -> Error:
    """End a connection that sends too many bytes that are exempt from the rate limit."""
    return Error(
        code=ErrorCode.RATE_LIMITED,
        message="too many lines that ask for nothing: empty ones, 'pong', 'received' or 'seen'",
        retry_after=round(retry_after_s, 3),
    )


def history_off(request: Request, last_message: int | None = None) -> Error:
    """Refuse to read messages that nobody keeps; name the last of them, if it is known."""
    reason = "this server keeps no history"
    seq = UNSET if last_message is None else last_message
    return Error(id=request.id, code=ErrorCode.HISTORY_OFF, message=reason, seq=seq)


def not_stored(request_id: int | UnsetType, seq: int | UnsetType) -> Error:
    """Report that a message was said, or something else done, but could not be stored."""
    reason = "the message was sent to everyone but not stored: the history cannot be written now"
    if seq is UNSET:
        reason = "done, but not stored: the history cannot be written now"
    return Error(id=request_id, code=ErrorCode.UNAVAILABLE, message=reason, seq=seq)


def not_read(request: Request) -> Error:
    """Report that a page of the history cannot be read."""
    reason = "the history cannot be read now: try again later"
    return Error(id=request.id, code=ErrorCode.UNAVAILABLE, message=reason)


# --- operators and bans ------------------------------------------------------------------------


def console_refused(reason: str) -> Error:
    """Refuse a console on the machine itself."""
    return Error(code=ErrorCode.NOT_OPERATOR, message=reason)


def no_name(request: Say | Direct | SetStatus) -> Error:
    """Refuse a request of the console that only a user with a name can make."""
    reason = "the console has no name, so it can say nothing and has no status"
    return Error(id=request.id, code=ErrorCode.NOT_REGISTERED, message=reason)


def not_operator(request_id: int | UnsetType) -> Error:
    """Refuse a request that only operators may make."""
    reason = 'only an operator may do this: {"type":"operator","secret":"..."}'
    return Error(id=request_id, code=ErrorCode.NOT_OPERATOR, message=reason)


def operator_wrong(request: BecomeOperator) -> Error:
    """Refuse another secret than the operator's."""
    reason = "this is not the operator's secret of this server: its start says where it is kept"
    return Error(id=request.id, code=ErrorCode.OPERATOR_WRONG, message=reason)


def muted(request_id: int | UnsetType, until: str | None, retry_after_s: float | None) -> Error:
    """Refuse a message of a user whom an operator has muted."""
    reason = "an operator has muted you" + (f" until {until}" if until else "")
    return Error(
        id=request_id,
        code=ErrorCode.MUTED,
        message=f"{reason}: you can still read, and send direct messages",
        retry_after=UNSET if retry_after_s is None else round(retry_after_s, 3),
    )


def hushed(request_id: int | UnsetType) -> Error:
    """Refuse a message while only operators may speak."""
    reason = "only operators may speak now: you can still read, and send direct messages"
    return Error(id=request_id, code=ErrorCode.HUSHED, message=reason)


def reason_refused(request: Kick | ImposeBan, problem: ErrorCode, max_chars: int) -> Error:
    """Refuse the reason for kicking or banning somebody."""
    reason = "a reason needs at least one visible character and cannot contain control characters"
    if problem is ErrorCode.TEXT_TOO_LONG:
        reason = f"a reason can have at most {max_chars} characters: shorten it"
    return Error(id=request.id, code=problem, message=reason)


def address_invalid(request: ImposeBan | LiftBan, address: str) -> Error:
    """Refuse a text that is neither an IP address nor a network."""
    reason = (
        f"{address[:64]!a} is neither an IP address nor a network: write 10.0.0.7 or 10.0.0.0/28"
    )
    return Error(id=request.id, code=ErrorCode.ADDRESS_INVALID, message=reason)


def bans_oneself(request: ImposeBan, address: str) -> Error:
    """Refuse a ban that would apply to the operator who asks for it."""
    reason = "you would ban yourself"
    if request.address is not UNSET:
        reason += f", because you come from {address}: choose a smaller network, or ban by name"
    return Error(id=request.id, code=ErrorCode.ADDRESS_INVALID, message=reason)


def too_many_penalties(request_id: int | UnsetType, most: int) -> Error:
    """Refuse one more ban or mute."""
    reason = f"there are {most} already: lift some of them first, or ban a network"
    return Error(id=request_id, code=ErrorCode.BUSY, message=reason)


def not_banned(request: LiftBan, looked_for: str, network: str | None = None) -> Error:
    """Report that there is no such ban; `network` is one that is banned and contains it."""
    reason = f'{looked_for[:64]!a} is not banned: {{"type":"bans"}} lists the bans'
    if network is not None:
        reason = f"{looked_for} is banned as part of {network}: lift that ban"
    return Error(id=request.id, code=ErrorCode.NOT_FOUND, message=reason)


def not_muted(request: LiftMute) -> Error:
    """Report that a user is not muted."""
    reason = f"{request.name[:64]!a} is not muted"
    return Error(id=request.id, code=ErrorCode.NOT_FOUND, message=reason, name=request.name)


def not_held(request: ReleaseName) -> Error:
    """Report that a name is not held."""
    reason = f"the name {request.name[:64]!a} is not held for anybody"
    return Error(id=request.id, code=ErrorCode.NOT_FOUND, message=reason, name=request.name)


def not_author(request: AskSeenBy) -> Error:
    """Refuse a question about who has seen a message from a user who is not its author."""
    reason = "only the author of a message and operators may ask who has seen it"
    return Error(id=request.id, code=ErrorCode.NOT_OPERATOR, message=reason)


def no_message(request: PinMessage | AskSeenBy) -> Error:
    """Report that a message is not known."""
    reason = f"there is no message with seq {request.seq}"
    return Error(id=request.id, code=ErrorCode.NOT_FOUND, message=reason)


# --- hooks -------------------------------------------------------------------------------------


def name_of_user(request: CreateHook, name: str) -> Error:
    """Refuse a hook with the name of a connected user."""
    reason = f"a user '{name}' is connected: choose another name"
    return Error(id=request.id, code=ErrorCode.NAME_TAKEN, message=reason, name=name)


def name_of_hook(request: CreateHook, name: str) -> Error:
    """Refuse a second hook of a name."""
    reason = f"there is a hook '{name}' already: choose another name, or remove it first"
    return Error(id=request.id, code=ErrorCode.NAME_TAKEN, message=reason, name=name)


def name_kept(request_id: int | UnsetType) -> Error:
    """Refuse a name that is held for a person."""
    reason = "this name is kept for another person: choose another name"
    return Error(id=request_id, code=ErrorCode.NAME_HELD, message=reason)


def too_many_hooks(request: CreateHook, most: int) -> Error:
    """Refuse one more hook."""
    reason = f"there are {most} hooks already: remove some of them first"
    return Error(id=request.id, code=ErrorCode.BUSY, message=reason)


def hooks_off(request: CreateHook) -> Error:
    """Refuse a hook on a server that does not accept HTTP."""
    reason = "this server speaks no HTTP (--web off), so nothing could come through a hook"
    return Error(id=request.id, code=ErrorCode.NOT_FOUND, message=reason)


def no_hook(request: RemoveHook) -> Error:
    """Report that there is no hook with a name."""
    reason = f'there is no hook {request.name[:64]!a}: {{"type":"hooks"}} lists them'
    return Error(id=request.id, code=ErrorCode.NOT_FOUND, message=reason, name=request.name)


def hook_unknown() -> Error:
    """Refuse a post with a secret that no hook has."""
    return Error(code=ErrorCode.NOT_FOUND, message="there is no hook with this address")


def notice_refused(problem: ErrorCode) -> Error:
    """Refuse a text that breaks the rules."""
    return Error(code=problem, message=_TEXT_PROBLEMS[problem])


def notices_busy() -> Error:
    """Refuse a text for now, because too much waits to be stored."""
    reason = "too much waits to be stored: try again later"
    return Error(code=ErrorCode.BUSY, message=reason, retry_after=_BUSY_RETRY_AFTER_S)
