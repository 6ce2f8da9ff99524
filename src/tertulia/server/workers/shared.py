"""The parts of a server that all its workers use."""

from collections.abc import Callable
from typing import Protocol

from tertulia.server.config import Config
from tertulia.server.history.history import History
from tertulia.server.history.mail import Pages
from tertulia.server.hub.hub import Hub
from tertulia.server.observer import SparseLog
from tertulia.server.workers.access import Access
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.door import Door
from tertulia.server.workers.guesses import EntryCode, Guesses, OperatorSecret
from tertulia.server.workers.hook_access import HookAccess
from tertulia.server.workers.measure_requests import MeasureRequests
from tertulia.server.workers.rate_limit import RateLimits
from tertulia.server.workers.switchboard import Switchboard


class Node(Protocol):
    """What the workers need of a node, if this server is one of several. Any thread may call."""

    def serves(self, now: float) -> bool:
        """Return whether requests are carried out now (`now`: monotonic clock)."""

    def stands_still(self, now: float) -> bool:
        """Return whether the log has stood still for a while: pings must not wait for it."""


class Shared:
    """The parts of a server that its workers share; any thread may use each of them."""

    def __init__(
        self,
        config: Config,
        hub: Hub,
        history: History | None,
        admission: Admission,
        new_door: Callable[[], Door],
        new_console_door: Callable[[], Door] | None = None,
    ) -> None:
        self.config = config
        self.hub = hub
        self.history = history
        # Answers requests for pages; in a cluster, a node without a history asks others.
        self.pages: Pages | None = history
        self.admission = admission
        self.new_door = new_door
        self.new_console_door = new_console_door or new_door
        self.node: Node | None = None  # set on one of several machines
        self.access = Access(config)
        self.switchboard = Switchboard(config.node)
        self.measure_requests = MeasureRequests(config)
        self.rate_limits = RateLimits(config)
        self.sparse_log = SparseLog()
        self.operator_secret = OperatorSecret(config.operator_secret, Guesses(config))
        self.hook_access = HookAccess(config, hub.notices)
        self.entry_code = None if config.code is None else EntryCode(config.code, Guesses(config))
