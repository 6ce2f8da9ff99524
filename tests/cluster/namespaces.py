"""A network for one node alone: one cable goes to its users, another to the nats-servers."""

import contextlib
import os
import subprocess
from collections.abc import Iterator

from faults import allowed


class Namespace:
    """A network namespace. `node` is the address in it, `nats` that of the nats-servers outside."""

    def __init__(self) -> None:
        number = os.getpid() % 250
        self.name = f"tertulia-{os.getpid()}"
        self.within = ("ip", "netns", "exec", self.name)
        self.node = f"10.213.{number}.2"
        self.nats = f"10.213.{number}.5"
        self._users_cable = self._lay(f"tu{number}", f"10.213.{number}.1", self.node)
        self._nats_cable = self._lay(f"tn{number}", self.nats, f"10.213.{number}.6")

    def _lay(self, cable: str, outside: str, inside: str) -> str:
        end = f"{cable}x"
        _ip("link", "add", cable, "type", "veth", "peer", "name", end, "netns", self.name)
        _ip("address", "add", f"{outside}/30", "dev", cable)
        _ip("link", "set", cable, "up")
        _ip("-n", self.name, "address", "add", f"{inside}/30", "dev", end)
        _ip("-n", self.name, "link", "set", end, "up")
        return end

    def cut(self) -> None:
        """Pull the cable to the nats-servers: nothing tells either side."""
        _ip("-n", self.name, "link", "set", self._nats_cable, "down")

    def mend(self) -> None:
        """Plug it in again."""
        _ip("-n", self.name, "link", "set", self._nats_cable, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


@contextlib.contextmanager
def namespace() -> Iterator[Namespace]:
    """Make a network for a while; skip the test where that is not permitted."""
    name = f"tertulia-{os.getpid()}"
    allowed("ip", "netns", "add", name)
    try:
        _ip("-n", name, "link", "set", "lo", "up")
        yield Namespace()
    finally:
        _ip("netns", "delete", name)  # takes the cables with it
