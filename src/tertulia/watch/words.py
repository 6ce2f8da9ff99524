"""The texts of the live view, in the user's language.

Pure functions; safe in any thread.
"""

from tertulia.i18n import N_, _
from tertulia.watch import numbers
from tertulia.watch.figures import ThreadFigures, Waiting

_WAITING = {
    Waiting.RUNNING: N_("running"),
    Waiting.EPOLL: "epoll",
    Waiting.POLL: "poll",
    Waiting.SOCKET: "socket",
    Waiting.SIGNAL: N_("signal"),
    Waiting.QUEUE: N_("queue"),
    Waiting.TURN: N_("turn"),
    Waiting.LOCK: N_("lock"),
    Waiting.DISK: N_("disk"),
    Waiting.SLEEP: N_("pause"),
    Waiting.UNKNOWN: numbers.UNKNOWN,
}
_WAITING_LONG = {
    Waiting.RUNNING: N_("it runs, or is ready and waits for a processor"),
    Waiting.EPOLL: N_("waits in epoll_wait: for bytes on its sockets, or for mail"),
    Waiting.POLL: N_("waits in poll: for a new connection"),
    Waiting.SOCKET: N_("waits for bytes on a socket"),
    Waiting.SIGNAL: N_("waits for a signal, for example Ctrl+C"),
    Waiting.QUEUE: N_("waits for work in its queue"),
    Waiting.TURN: N_("waits for its turn, which another thread of this worker has"),
    Waiting.LOCK: N_("waits for a lock, most often that of the interpreter"),
    Waiting.DISK: N_("waits for the disk"),
    Waiting.SLEEP: N_("pauses for a moment, so that it does more work at once"),
    Waiting.UNKNOWN: N_("the system does not say what it waits for"),
}
_ROLES = {
    "main": N_("start, orderly stop"),
    "handout": N_("makes the client's files"),
    "acceptor": N_("accepts connections"),
    "console": N_("lets in consoles and views"),
    "worker": N_("reads, decides, sends"),
    "history-writer": N_("writes to the disk"),
    "history-reader": N_("reads pages, searches"),
    "log": N_("writes the log"),
    "link": N_("follows the nodes' log"),
    "announcer": N_("announces the server"),
    "signals": N_("waits for signals"),
    "parent": N_("listens to the parent"),
}
_PROCESSES = {"server": N_("server"), "parent": N_("parent"), "child": N_("child")}


def waiting(what: Waiting) -> str:
    """Return a word for what a thread waits for."""
    return _(_WAITING[what])


def role(kind: str) -> str:
    """Return the purpose of a thread; "" for an unknown one."""
    text = _ROLES.get(kind)
    return _(text) if text else ""


def process(kind: str) -> str:
    """Return the name of a process."""
    text = _PROCESSES.get(kind)
    return _(text) if text else kind


def about(thread: ThreadFigures) -> str:
    """Return a sentence about one thread."""
    text = _("{name} (TID {tid}, {role}): {waiting}. CPU since its start: {cpu} s.")
    return text.format(
        name=thread.name,
        tid=thread.tid,
        role=role(thread.kind) or numbers.UNKNOWN,
        waiting=_(_WAITING_LONG[thread.waiting]),
        cpu=numbers.UNKNOWN if thread.cpu_s is None else f"{thread.cpu_s:.2f}",
    )
