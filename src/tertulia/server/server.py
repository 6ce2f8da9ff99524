"""One server: creates its parts, starts them, and stops them in order."""

import datetime
import errno
import functools
import logging
import os
import resource
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tertulia.mdns import MAX_INTERFACES, can_be_found, is_switched_off
from tertulia.protocol.measures import Measures
from tertulia.protocol.messages import CUT_OFF
from tertulia.server.addresses import addresses_for_others
from tertulia.server.certificates.certificate import Certificate, find_certificate
from tertulia.server.config import Config, has_interpreter_lock
from tertulia.server.console.listener import ConsoleListener
from tertulia.server.console.place import console_path
from tertulia.server.doors.console import ConsoleDoor
from tertulia.server.doors.entrance import Offer, OpenEntrance, refusal_when_full
from tertulia.server.doors.files import read_page, read_parts
from tertulia.server.doors.handout import ClientFiles
from tertulia.server.doors.http import Site
from tertulia.server.doors.monitoring import Monitoring
from tertulia.server.handout.handout import WHEELS, Handout
from tertulia.server.history.checks import check_version
from tertulia.server.history.history import History
from tertulia.server.history.node import NodeHistory
from tertulia.server.hub.hub import Hub
from tertulia.server.listening import Listening
from tertulia.server.observer import Observer
from tertulia.server.supervision.link import ParentLink
from tertulia.server.workers.acceptor import Acceptor
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.collector import Collector
from tertulia.server.workers.mail import Drain
from tertulia.server.workers.pool import WorkerPool
from tertulia.server.workers.shared import Shared
from tertulia.server.workers.turned_away import TurnedAway
from tertulia.state_directory import state_directory

if TYPE_CHECKING:
    from tertulia.server.announcer import Announcer
    from tertulia.server.cluster.node import Node

log = logging.getLogger("tertulia.server")

_ANNOUNCER_DESCRIPTORS = 2 * MAX_INTERFACES + 4  # for each interface and version, and its loop
_OWN_DESCRIPTORS = 32  # the server's files, of which the history has up to ten
_LINGERING = 64  # refused sockets that the acceptor keeps open for a moment
_NO_RENEWAL_S = 86_400.0  # between calls of `renew_certificate` without a certificate
_WITHDRAW_TIMEOUT_S = 0.5  # after _STOP_TIMEOUT_S, to withdraw the announcement: 0.25 s
# To look for damage in the history when one server replaces another: the first one has looked for
# longer. A file of 60 MB takes 0.3 s.
_CHECK_AGAIN_S = 0.05
# For an upgrade: the next process begins to serve when this one ends, so a client that does not
# read gets little time.
_HAND_OVER = Drain(retry_after_s=(0.1, 0.5), flush_within_s=1.0, drain_within_s=0.3)
# For a node that begins anew; its users go to the others.
_SEND_AWAY = Drain(cause=CUT_OFF, flush_within_s=1.0, drain_within_s=0.3)
_LEAVE_TIMEOUT_S = 2.0  # to tell the other nodes that this one leaves
_STOP_TIMEOUT_S = 8.0  # a stop has to be done within 10 s, whatever clients do


class Server:
    """A server of the given configuration.

    The constructor finds or makes the certificate (CertificateUnusable), opens the listening
    sockets (see Listening for its errors), and opens the history (StoreInUse,
    StoreOfAnotherVersion, OSError or sqlite3.Error). `start` begins to serve, `announce` announces
    the server on the local network, and `stop` ends it. One thread calls these and
    `renew_certificate`.
    """

    def __init__(
        self,
        config: Config,
        log_lines: Callable[[], int] | None = None,
        parent: ParentLink | None = None,
        fail: Callable[[str], None] | None = None,
        begin_anew: Callable[[], None] | None = None,
        given: Mapping[str, socket.socket] | None = None,
    ) -> None:
        """`log_lines` returns how many lines wait to be written to the log.

        `fail` ends the program, when a node cannot go on; `begin_anew` has this server stopped and
        another one made in its place. Any thread may call them. In a cluster, the constructor
        returns when this node is up; it also raises ClusterUnusable.

        `given` are sockets from systemd, which `stop` closes.

        If there is a parent, the history is opened only when the parent says so. The constructor
        then also raises ParentGone.
        """
        self._config = config
        self._parent = parent
        self.certificate = None if config.tls == "off" else find_certificate(config)
        monitoring = None
        if config.metrics:
            monitoring = Monitoring(
                config.metrics, functools.partial(self.measure, each_worker=False), self.problem
            )
        offer = _offer(config, self.certificate, monitoring, self._nodes)
        # Not earlier: the steps before take 20 ms, in which the first clients would have to wait.
        inherited = (given or {}) if parent is None else parent.sockets
        self._listening = listening = Listening(config, inherited)
        self.listener, self.host = listening.tcp, listening.host
        self.port: int = self.listener.getsockname()[1]
        if parent is not None:
            parent.keep(listening.pop_opened())
            if config.history is not None and parent.waits:
                check_version(Path(config.history))
            parent.wait_for_turn()
        self.history = None
        if config.history is not None:
            check_time_s = None if parent is None or parent.is_first else _CHECK_AGAIN_S
            history_class = NodeHistory if config.cluster else History
            self.history = history_class(Path(config.history), config, check_time_s)
        self.node: Node | None = None
        if config.cluster:
            assert fail is not None
            assert begin_anew is not None
            self.hub = self._join_cluster(fail, begin_anew)
        else:
            self.hub = Hub(config, self.history)
        self._admission = admission = Admission(config)
        new_door = functools.partial(OpenEntrance, offer)
        shared = Shared(config, self.hub, self.history, admission, new_door, ConsoleDoor)
        if self.node is not None:
            shared.pages = self.node.pages
        observer = Observer(shared.sparse_log)
        self._pool = WorkerPool(shared, observer, takes_turns=has_interpreter_lock())
        self._console: ConsoleListener | None = None
        self._announcer: Announcer | None = None
        turned_away = TurnedAway(functools.partial(refusal_when_full, offer), offer.context)
        self._collector = Collector(
            *(config, self._pool, self.hub, self.history, turned_away.__len__, log_lines),
            node=self.node,
            restarts=0 if parent is None else parent.restarts,
            parent_pid=None if parent is None else parent.pid,
        )
        self._measure_requests = shared.measure_requests
        self._measure_requests.measure = functools.partial(
            self._collector.measure, shows_waits=True
        )
        self._acceptor = Acceptor(
            listening.all, self._pool, shared.access, admission, observer, turned_away
        )
        if self.node is not None:
            shared.node = self.node.hub
            mailboxes = self._pool.mailboxes
            wake_all = functools.partial(mailboxes.announce, None)
            self.node.attach(shared.switchboard, mailboxes.post, wake_all)
            self.node.start()

    def _join_cluster(self, fail: Callable[[str], None], begin_anew: Callable[[], None]) -> Hub:
        # Only here: without a cluster, its parts are not loaded.
        from tertulia.server.cluster.node import Node

        addresses = functools.partial(
            addresses_for_others, self.listener, self._config.names, self.port
        )
        assert self.history is None or isinstance(self.history, NodeHistory)
        self.node = Node(self._config, self.history, addresses, fail, begin_anew)
        return self.node.hub

    def measure(self, *, each_worker: bool = True, shows_waits: bool = False) -> Measures:
        """Return the figures of this moment; see Collector.measure. Any thread."""
        return self._collector.measure(each_worker=each_worker, shows_waits=shows_waits)

    def problem(self) -> str:
        """Return what does not work, in one line; "" if all is well. Any thread."""
        return self._collector.problem()

    def _nodes(self) -> Sequence[str]:
        """Return the addresses of all servers of the chat; none if this one is alone."""
        return () if self.node is None else self.node.known_addresses()

    def open_console(self, directory: Path) -> None:
        """Open the socket for operators on this machine. They are served after `start`.

        Raises PlaceTaken if another server of this user has the same port, or OSError.
        """
        path = console_path(directory, self.port)
        listener = self._listening.open_console(path)
        if self._parent is not None:
            self._parent.keep(self._listening.pop_opened())
        self._console = ConsoleListener(
            path, listener, self._pool, self._admission, self._measure_requests
        )

    def start(self) -> None:
        """Start the threads that serve."""
        if self.history is not None and self.node is None:  # a node has started it
            self.history.start()
        self._pool.start()
        self._acceptor.start()
        if self._console is not None:
            self._console.start()
        self._log_certificate()

    def announce(self) -> None:
        """Announce the server on the local network, if the configuration says so.

        A thread does this, so it does not wait. Failures are logged.
        """
        if not self._config.announce or not can_be_found(self.listener.getsockname()[0]):
            return
        # Slow to import, because of asyncio, and not always needed.
        from tertulia.server.announcer import Announcer, service_of

        service = service_of(self.listener, requires_tls=self._config.tls == "require")
        announcer = Announcer(service, self._fingerprint)
        try:
            announcer.start()
        except RuntimeError as error:
            log.warning("not announced on the local network: %s", error)
            return
        self._announcer = announcer

    def _fingerprint(self) -> str:
        return "" if self.certificate is None else self.certificate.current.fingerprint.hex

    @property
    def renew_every_s(self) -> float:
        """Seconds from one call of `renew_certificate` to the next."""
        return _NO_RENEWAL_S if self.certificate is None else self.certificate.check_every_s

    def renew_certificate(self) -> None:
        """Renew the certificate if it is time."""
        if self.certificate is None:
            return
        try:
            is_another = self.certificate.refresh(datetime.datetime.now(datetime.UTC))
        except Exception:
            log.exception("certificate not renewed")
            return
        if is_another:
            self._log_certificate()

    def _log_certificate(self) -> None:
        if self.certificate is not None:
            fingerprint = self.certificate.current.fingerprint
            log.info("certificate sha256=%s words='%s'", fingerprint.hex, fingerprint.words)

    @property
    def users(self) -> int:
        """Number of registered users."""
        return len(self.hub.people())

    def beat(self) -> bool:
        """Return whether all workers have done a round since the last call."""
        return self._pool.beat()

    def stop(self, *, hands_over: bool = False) -> None:
        """Stop accepting, say goodbye to every client, and write the history to disk.

        What could not be done in time is logged. If another process goes on at the same sockets,
        the clients are told to come back soon, and the sockets stay where they are.
        """
        give_up_at = time.monotonic() + _STOP_TIMEOUT_S
        if self.node is not None:
            self.node.begin_to_stop()
        if self._announcer is not None:
            self._announcer.begin_to_stop()
        if self._listening.local is not None and not hands_over:
            # While it is open: the file of a later server could get the number of a closed one.
            self._listening.local.remove()
        self._acceptor.stop(_STOP_TIMEOUT_S)
        if self._console is not None:
            self._console.stop(max(0.0, give_up_at - time.monotonic()), keep_path=hands_over)
        how = _HAND_OVER if hands_over else None
        if self.node is not None and self.node.has_fallen_behind:
            how = _SEND_AWAY
        if not self._pool.drain(max(0.0, give_up_at - time.monotonic()), how):
            log.error("stop incomplete: some connections were cut off")
        if self.node is not None and not self.node.stop(_LEAVE_TIMEOUT_S):
            log.error("stop incomplete: the other nodes may declare this one dead")
        left_s = max(0.5, give_up_at - time.monotonic())
        if self.history is not None and not self.history.stop(left_s):
            log.error("stop incomplete: the last messages may not be on the disk")
        if hands_over or self._announcer is None:
            return  # the next process announces the same address and port
        if not self._announcer.stop(_WITHDRAW_TIMEOUT_S):
            log.warning("stop incomplete: the announcement on the local network may stay")


def _offer(
    config: Config,
    certificate: Certificate | None,
    monitoring: Monitoring | None,
    nodes: Callable[[], Sequence[str]],
) -> Offer:
    """Return what the port offers. Clients get a renewed certificate as soon as there is one."""
    site = None
    if config.web:
        no_authority = b""
        directory = state_directory()
        handout = Handout(None if directory is None else directory / WHEELS)
        site = Site(
            read_page() | read_parts(),
            config.names,
            lambda: no_authority if certificate is None else certificate.current.authority,
            monitoring=monitoring,
            client_files=ClientFiles(handout, needs_code=config.code is not None),
            nodes=nodes,
        )
    elif monitoring is not None:
        site = Site({}, config.names, monitoring=monitoring, has_page=False)
    if certificate is None:
        return Offer(site)
    return Offer(site, lambda: certificate.current.context, config.tls == "require")


def fit_to_descriptors(config: Config) -> Config:
    """Raise the limit of open files as far as it goes; lower the numbers of connections to fit it.

    At least three quarters are for users, so that `max_users` of them can always join. Raises
    OSError if not even one fits.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fitting = fit_to(hard, config)
    if fitting.max_users < 1:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return fitting


def fit_to(descriptors: int, config: Config) -> Config:
    """Return the configuration with as many users and unregistered connections as fit."""
    each, workers = 1, config.threads
    if workers is None:
        each, workers = 3, 0  # a worker has an epoll and an eventfd of its own
    elif has_interpreter_lock():
        workers = 1
    own = _OWN_DESCRIPTORS
    if config.announce and not is_switched_off():
        own += _ANNOUNCER_DESCRIPTORS
    free = max(0, descriptors - own - 2 * workers)
    others = min(config.max_unregistered * each + _LINGERING, free // 4)
    return msgspec.structs.replace(
        config,
        max_users_of_chat=config.max_users if config.cluster else None,
        max_users=min(config.max_users, (free - others) // each),
        max_unregistered=min(
            config.max_unregistered, max(others - _LINGERING, others // 2) // each
        ),
    )
