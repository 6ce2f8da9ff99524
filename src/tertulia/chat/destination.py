"""Where a user wants to connect, and command lines that may work where this one failed.

Pure functions of what stands on the command line; no network is touched here.
"""

import re

from msgspec import Struct

from tertulia.protocol.names import MAX_NAME_CHARS, parse_name


class Destination(Struct, frozen=True):
    """The name, server and source address that were given on the command line."""

    name: str
    host: str
    port: int
    source: str | None = None

    def command(self, *, name: str | None = None, source: str | None = None) -> str:
        """Return the command line for this destination, with another name or source if given."""
        source = source or self.source
        command = f"tertulia {name or self.name} {self.host} {self.port}"
        return command if source is None else f"{command} --source {source}"

    def command_with_another_name(self) -> str:
        """Return the command line with the next name: luis, luis2, luis3."""
        stem = self.name.rstrip("0123456789")
        number = self.name[len(stem) :]
        if not stem or len(number) > 4:
            stem, number = self.name, ""
        suffix = str(int(number) + 1 if number else 2)
        return self.command(name=stem[: MAX_NAME_CHARS - len(suffix)] + suffix)

    def command_with_valid_name(self) -> str | None:
        """Return the command line with the most similar valid name; None if there is none."""
        similar = re.sub(r"[^\w.-]+", "_", self.name).strip("_.-")[:MAX_NAME_CHARS]
        return None if parse_name(similar) is None else self.command(name=similar)

    def command_with_another_source(self) -> str | None:
        """Return the command line with the next loopback address; None for another computer."""
        if self.host != "localhost" and not self.host.startswith("127."):
            return None
        found = re.fullmatch(r"(127\.\d+\.\d+\.)(\d+)", self.source or "127.0.0.1")
        if found is None:
            return None
        return self.command(source=f"{found[1]}{int(found[2]) % 254 + 1}")
