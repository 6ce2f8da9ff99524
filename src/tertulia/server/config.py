"""The settings of a server. Names of numbers contain the unit; comments say what they mean."""

import os
import sys
from typing import Literal

import msgspec

from tertulia.protocol.networks import LOOPBACK, Network

AUTOMATIC_CODE = "auto"  # a code of three words, which the start makes


def has_interpreter_lock() -> bool:
    """Return whether this Python lets only one thread at a time run."""
    return not hasattr(sys, "_is_gil_enabled") or bool(sys._is_gil_enabled())


def usual_threads() -> int:
    """Return how many worker threads serve best: two, or one for each core if all can run."""
    cores = len(os.sched_getaffinity(0))
    return min(cores, 2) if has_interpreter_lock() else cores


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """How one server is to run. `None` switches a limit off."""

    port: int  # the TCP port to listen on; 0: any free one
    host: str = ""  # the address to listen on; "": all addresses, IPv4 and IPv6
    # Worker threads; None: one for each session.
    threads: int | None = msgspec.field(default_factory=usual_threads)
    web: bool = True  # whether browsers get the page and WebSockets, on the same port
    announce: bool = True  # whether clients on the local network find the server by themselves
    names: tuple[str, ...] = ()  # that browsers may use for the server, besides local ones
    tls: Literal["auto", "require", "off"] = "auto"  # whether the port speaks TLS, or nothing else
    # The path of another certificate, with its chain; None: the server makes its own.
    certificate: str | None = None
    key: str | None = None  # the path of the key of `certificate`
    shared_addresses: bool = False  # whether several users may come from one address

    allow: tuple[Network, ...] = ()  # only users from these may join; empty: from everywhere
    deny: tuple[Network, ...] = ()  # users from these may not join, even if `allow` contains them
    proxy_from: tuple[Network, ...] = ()  # networks of proxies, which name the users' addresses
    # Networks of programs that may read `/metrics` and `/healthz`; empty: nobody may.
    metrics: tuple[Network, ...] = LOOPBACK
    unix: str | None = None  # the path of a socket for proxies on this computer
    code: str | None = None  # that everyone needs to join; None: no code is needed
    # Days for which a name is held, after its last session, for the client with its key; None:
    # names are not held.
    hold_names_days: float | None = None
    # The secret that makes a user an operator; None: there is none, so nobody can become one.
    operator_secret: str | None = None
    # After so many wrong codes or secrets from one address within `guess_window_s`, further ones
    # are refused without a check.
    max_wrong_guesses: int = 5
    guess_window_s: float = 300.0

    # Seconds without any activity of a user before the server shows this user as INACTIVO.
    idle_after_s: float | None = 120.0
    ping_after_s: float = 30.0  # seconds without a byte from a client before it is sent a `ping`
    # Seconds without a byte from a client before its session ends (`timeout`).
    silence_timeout_s: float = 45.0
    # Seconds an existing session has to answer a ping before a newcomer from its address may
    # replace it.
    challenge_timeout_s: float = 3.0
    # Seconds from connecting to being registered, however slowly the bytes come.
    register_timeout_s: float = 20.0
    # Seconds from the first byte of TLS to the end of the handshake.
    handshake_timeout_s: float = 10.0
    # Seconds in which a client accepts no byte of what is sent before its session ends (`slow`).
    write_timeout_s: float = 30.0
    flush_timeout_s: float = 3.0  # seconds to send the last bytes of a connection that is ending
    # Seconds the client then has to read them and close, before the server closes the socket.
    drain_timeout_s: float = 1.0

    max_users: int = 1_024  # registered users; with `cluster`, on this node
    max_users_of_chat: int | None = None  # on all nodes together; None: as on this one
    max_unregistered: int = 256  # open connections beyond max_users
    # Connections from one address that are not registered; no limit with shared_addresses.
    max_unregistered_per_address: int = 64
    max_lines_before_welcome: int = 64  # lines a client may send until it is registered
    max_malformed: int = 10  # malformed lines of a connection; the last one closes it

    rate_limit_per_s: float | None = 10.0  # requests of one name, a second, in the long run
    rate_burst_s: float = 4.0  # seconds of that rate which a session may use at once
    # Bytes of empty lines, `pong` and needless `received`, which are free of that rate, from one
    # connection: a second in the long run, and at once. A connection that sends more is closed.
    free_bytes_per_s: float = 1_024.0
    free_burst_bytes: float = 8_192.0
    # Seconds after its last session in which a name keeps what it has used of its rate.
    rate_keep_s: float = 60.0
    # Registrations of one address, a second in the long run, and at once. Like the rate of requests
    # this is switched off by rate_limit_per_s=None; no limit with shared_addresses.
    registrations_per_s: float = 10.0
    registration_burst: float = 100.0
    flood_refusals: int = 100  # `rate_limited` answers within flood_window_s that end a session
    flood_window_s: float = 10.0  # seconds

    history: str | None = None  # the path of the history's file; None: no history
    keep_days: float | None = None  # days after which a message is deleted; None: never
    history_queue: int = 10_000  # messages that wait to be stored; at this bound speakers wait
    # Seconds for reading a page or a search, before the answer is `unavailable`.
    history_query_timeout_s: float = 2.0
    max_pages_waiting: int = 4  # `history` and `search` requests of one session that wait
    seq_block: int = 1_000_000  # numbers that are reserved on disk at a time, before they are used

    # URLs of the nats-servers that join several nodes to one chat; none: a single node.
    cluster: tuple[str, ...] = ()
    node: str = ""  # the name of this node in the cluster
    chat: str = "tertulia"  # which chat, if the same nats-servers serve several
    cluster_credentials: str | None = None  # the path of the file of NATS credentials
    new_log: bool = False  # whether to begin a new log from this node's history

    nonce_keep_s: float = 600.0  # seconds in which a message that is sent again is recognised
    max_nonces: int = 262_144  # remembered nonces, some 60 MiB; at this bound the oldest goes

    log_bytes: int = 8 * 1024 * 1024  # of the latest events, kept once for all slow consumers
    slice_bytes: int = 256 * 1024  # of these events in one send
    private_bytes: int = 1024 * 1024  # of answers and direct messages that wait for one session
    receive_bytes: int = 16 * 1024  # read from one connection before the next one has its turn
    # The kernel's send buffer for a connection. Without this bound it holds 3.9 MB for each client
    # that has stopped reading.
    send_buffer_bytes: int = 64 * 1024
