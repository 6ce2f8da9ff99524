"""tertulia: a chat for people who share a network. This module exports the public library.

Importing it loads no part of the library, because the server and `--help` also import it and must
not become slower. The first use of a name loads the modules that define it. Safe in any thread.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tertulia.version import __version__

if TYPE_CHECKING:
    from tertulia.client.addresses import Address
    from tertulia.client.client import Client, ClientEvent
    from tertulia.client.errors import (
        CertificateRefused,
        ChatError,
        ConnectFailure,
        ConnectionLost,
        End,
        EndReason,
        Kicked,
        NoAnswer,
        NoConnection,
        NoNode,
        RegistrationRefused,
        RequestRefused,
    )
    from tertulia.client.inbox import Dropped, Incoming
    from tertulia.client.persistent import PersistentClient
    from tertulia.protocol.attendance import AttendanceRow, SeenBy
    from tertulia.protocol.hooks import HookCreated, HookRow
    from tertulia.protocol.messages import (
        Answer,
        ChatMessage,
        CloseReason,
        Closing,
        Direct,
        DirectMessage,
        Error,
        ErrorCode,
        Event,
        Gap,
        GetHistory,
        GetInfo,
        HistoryPage,
        Joined,
        Left,
        ListUsers,
        NumberedEvent,
        Ok,
        Ping,
        Pong,
        Presence,
        Quit,
        Register,
        Request,
        Say,
        Search,
        ServerMessage,
        SetStatus,
        Status,
        StoredMessage,
        User,
        UserInfo,
        UserList,
        Welcome,
    )
    from tertulia.protocol.moderation import (
        BanRow,
        Hushed,
        Locked,
        Muted,
        Pinned,
        Role,
        Unmuted,
    )

__all__ = [
    "Address", "Answer", "AttendanceRow", "BanRow", "CertificateRefused", "ChatError",
    "ChatMessage", "Client", "ClientEvent", "CloseReason", "Closing", "ConnectFailure",
    "ConnectionLost", "Direct", "DirectMessage", "Dropped", "End", "EndReason", "Error",
    "ErrorCode", "Event", "Gap", "GetHistory", "GetInfo", "HistoryPage", "HookCreated", "HookRow",
    "Hushed", "Incoming", "Joined", "Kicked", "Left", "ListUsers", "Locked", "Muted", "NoAnswer",
    "NoConnection", "NoNode", "NumberedEvent", "Ok", "PersistentClient", "Ping", "Pinned", "Pong",
    "Presence", "Quit", "Register", "RegistrationRefused", "Request", "RequestRefused", "Role",
    "Say", "Search", "SeenBy", "ServerMessage", "SetStatus", "Status", "StoredMessage", "Unmuted",
    "User", "UserInfo", "UserList", "Welcome", "__version__",
]  # fmt: skip

_MODULES = (
    "tertulia.protocol.messages",
    "tertulia.protocol.moderation",
    "tertulia.protocol.attendance",
    "tertulia.protocol.hooks",
    "tertulia.client.addresses",
    "tertulia.client.errors",
    "tertulia.client.inbox",
    "tertulia.client.client",
    "tertulia.client.persistent",
)

if not TYPE_CHECKING:  # otherwise a type checker would accept every name

    def __getattr__(name: str) -> Any:
        """Load the module that defines a public name (PEP 562)."""
        if name in __all__:
            for module in _MODULES:
                defined = vars(import_module(module))
                if name in defined:
                    globals()[name] = defined[name]
                    return defined[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
