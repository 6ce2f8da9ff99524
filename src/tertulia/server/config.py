"""Every number of the server, with its unit in its name. The defaults are the documentation."""

import msgspec


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What one server is asked to do; `None` switches a limit off."""

    port: int  # 0: a free one
    host: str = ""  # "": all addresses, IPv4 and IPv6
    threads: int | None = 1  # workers; None: one for each session
    shared_addresses: bool = False  # several users from one address?

    idle_after_s: float | None = 120.0  # without activity: INACTIVO
    ping_after_s: float = 30.0  # without a byte: `ping`
    silence_timeout_s: float = 45.0  # without a byte: `timeout`
    challenge_timeout_s: float = 3.0  # for who is in a newcomer's way to show life
    register_timeout_s: float = 20.0  # in all, however the bytes drip in
    write_timeout_s: float = 30.0  # without a byte accepted by the peer: `slow`
    flush_timeout_s: float = 3.0  # for what is still to be sent at the end of a connection
    drain_timeout_s: float = 1.0  # for the peer to read that, before the socket is closed

    max_users: int = 1_024  # registered
    max_unregistered: int = 256  # connections beyond max_users
    max_unregistered_per_address: int = 32  # not with shared_addresses
    max_lines_before_welcome: int = 64
    max_malformed: int = 10  # the last of them closes the connection

    rate_limit_per_s: float | None = 10.0  # requests of a session
    rate_burst_s: float = 4.0  # so many seconds' worth at once
    flood_refusals: int = 100  # so many `rate_limited` ...
    flood_window_s: float = 10.0  # ... within this time close the connection

    history: str | None = None  # the file of the general chat; None: no history
    keep_days: float | None = None  # None: all
    history_queue: int = 10_000  # messages on their way to disk; at the bound speakers wait
    history_query_timeout_s: float = 2.0  # for a page or a search: then `unavailable`
    max_pages_waiting: int = 4  # `history` and `search` of one session under way
    seq_block: int = 1_000_000  # numbers reserved on disk at a time, before any is given

    nonce_keep_s: float = 600.0  # how long a repeated message is known as such
    max_nonces: int = 262_144  # at the bound the oldest is forgotten: some 60 MiB

    log_bytes: int = 8 * 1024 * 1024  # of events, shared by all sessions however slow
    stretch_bytes: int = 256 * 1024  # of them in one send
    private_bytes: int = 1024 * 1024  # answers and direct messages waiting for one session
    receive_bytes: int = 16 * 1024  # taken from one connection before others have their turn
    # Without a bound the kernel takes 3.9 MB for each client that has stopped reading.
    send_buffer_bytes: int = 64 * 1024
