"""The addresses from which connections are accepted, and those of proxies."""

import ipaddress
from enum import Enum, auto

from tertulia.protocol.networks import Network
from tertulia.server.config import Config

# The address of clients on the local socket, unless a proxy names another one.
LOCAL_ADDRESS = "127.0.0.1"


class HeaderRule(Enum):
    """Whether a connection begins with a proxy's header, which names the user's address."""

    NONE = auto()
    OPTIONAL = auto()  # over the local socket: the permissions of its file protect it
    REQUIRED = auto()


NO_HEADER = HeaderRule.NONE  # an alias: an enum lookup costs more than the comparison


class Access:
    """The lists of the operator. Any thread may call."""

    def __init__(self, config: Config) -> None:
        self._allowed = config.allow
        self._denied = config.deny
        self._proxies = config.proxy_from

    def admits(self, address: str) -> bool:
        """Return whether users may come from an address."""
        if self._denied and _is_in(address, self._denied):
            return False
        return not self._allowed or _is_in(address, self._allowed)

    def header_rule(self, address: str) -> HeaderRule:
        """Return whether a connection from an address begins with a proxy's header."""
        is_proxy = self._proxies and _is_in(address, self._proxies)
        return HeaderRule.REQUIRED if is_proxy else NO_HEADER


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in network for network in networks)
