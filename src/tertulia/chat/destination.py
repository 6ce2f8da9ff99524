"""The server to which a user wants to connect, and command lines that may work after a failure.

They are made from the user's command line, and from the kernel's data about a server on this
computer. Nothing is sent.
"""

import re
import shlex

from msgspec import Struct
from msgspec.structs import replace

from tertulia.chat.loopback import free_source, sources_in_use, usual_source
from tertulia.client.addresses import Address
from tertulia.protocol.names import MAX_NAME_CHARS, parse_name


class Destination(Struct, frozen=True):
    """The name, server and source address that were given on the command line.

    `others` are further servers of the same chat. `tls` is whether to use TLS, or None if the
    command line does not specify it. `pin` is the expected certificate, as hexadecimal digits or
    six words.
    """

    name: str
    host: str
    port: int
    source: str | None = None
    code: str | None = None
    tls: bool | None = None
    pin: str | None = None
    others: tuple[Address, ...] = ()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Return all servers, in the order in which they were given."""
        return (Address(self.host, self.port), *self.others)

    @property
    def hosts(self) -> str:
        """Return the hosts as on the command line; the first server's port is the default."""
        if not self.others:
            return self.host
        return ",".join(_host(address, self.port) for address in self.addresses)

    def only(self, address: Address) -> "Destination":
        """Return the destination with only this server."""
        return replace(self, host=address.host, port=address.port, others=())

    def command(
        self,
        *,
        name: str | None = None,
        source: str | None = None,
        code: str | None = None,
        tls: bool | None = None,
        pin: str | None = None,
    ) -> str:
        """Return the command line for this destination, with the given values instead of its own.

        `code` is inserted unchanged.
        """
        from tertulia.program import client_command  # slow to import and seldom needed

        source = source or self.source
        command = f"{client_command()} {name or self.name} {self.hosts} {self.port}"
        if source is not None:
            command += f" --source {source}"
        tls, pin = (self.tls, self.pin) if tls is None and pin is None else (tls, pin)
        if pin is not None:
            command += f" --pin {shlex.quote(pin)}"
        elif tls is not None:
            command += " --tls" if tls else " --no-tls"
        if code is None and self.code is not None:
            code = shlex.quote(self.code)
        return command if code is None else f"{command} --code {code}"

    def command_with_another_name(self) -> str:
        """Return the command line with the next name: luis, luis2, luis3.

        If the server is on this computer and another user already has this user's address, the
        command line also has a free address.
        """
        stem = self.name.rstrip("0123456789")
        number = self.name[len(stem) :]
        if not stem or len(number) > 4:
            stem, number = self.name, ""
        suffix = str(int(number) + 1 if number else 2)
        source = self._source_here()
        is_used = source is not None and source in sources_in_use(self.port)
        return self.command(
            name=stem[: MAX_NAME_CHARS - len(suffix)] + suffix,
            source=free_source(self.port, source) if source is not None and is_used else None,
        )

    def command_with_valid_name(self) -> str | None:
        """Return the command line with the most similar valid name; None if there is none."""
        similar = re.sub(r"[^\w.-]+", "_", self.name).strip("_.-")[:MAX_NAME_CHARS]
        return None if parse_name(similar) is None else self.command(name=similar)

    def command_with_another_source(self) -> str | None:
        """Return the command line with a free loopback address; None if the server is elsewhere."""
        source = self._source_here()
        other = None if source is None else free_source(self.port, source)
        return None if other is None else self.command(source=other)

    def _source_here(self) -> str | None:
        """Return the IPv4 address of this user, if the server is on this computer."""
        usual = usual_source(self.host)
        if usual is None or ":" in (self.source or ""):
            return None
        return self.source or usual


def _host(address: Address, usual_port: int) -> str:
    if address.port != usual_port:
        return str(address)
    return f"[{address.host}]" if ":" in address.host else address.host
