"""The servers whose certificates this user knows: `known_servers` in the state directory.

As in the known_hosts of ssh, each server has a line, which the user may remove:

    HOST PORT sha256:FINGERPRINT WORDS

Other lines are kept. Several programs may use the file at once. The functions read and write it.
"""

from pathlib import Path

from tertulia.chat.keyring import server_name
from tertulia.state_directory import locked, state_directory, write_private
from tertulia.tls.fingerprint import Fingerprint

_FILE = "known_servers"
_PREFIX = "sha256:"


class KnownServers:
    """The file with the fingerprints."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or _default_path()

    def find(self, host: str, port: int) -> Fingerprint | None:
        """Return the fingerprint of a server; None if it is not known. Raises OSError."""
        for line in reversed(self._lines()):
            if _server_of(line) == server_name(host, port):
                return _fingerprint_in(line)
        return None

    def keep(self, host: str, port: int, fingerprint: Fingerprint) -> None:
        """Store the fingerprint of a server, replacing an earlier one. Raises OSError."""
        if self.path is None:
            raise FileNotFoundError("there is no home directory")
        server = server_name(host, port)
        with locked(self.path.with_suffix(".lock")):
            lines = [line for line in self._lines() if _server_of(line) != server]
            lines.append(f"{server} {_PREFIX}{fingerprint.hex} {fingerprint.words}")
            text = "".join(f"{line}\n" for line in lines)
            write_private(self.path, text.encode("utf-8", "surrogateescape"))

    def _lines(self) -> list[str]:
        if self.path is None:
            return []
        try:
            text = self.path.read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return []
        return text.removesuffix("\n").split("\n") if text else []


def _server_of(line: str) -> str | None:
    """Return the server of a line; None if this program did not write the line."""
    parts = line.split()
    return None if _fingerprint_in(line) is None else " ".join(parts[:2])


def _fingerprint_in(line: str) -> Fingerprint | None:
    parts = line.split()
    if len(parts) < 3 or not parts[2].startswith(_PREFIX):
        return None
    try:
        return Fingerprint.of_hex(parts[2].removeprefix(_PREFIX))
    except ValueError:
        return None


def _default_path() -> Path | None:
    directory = state_directory()
    return None if directory is None else directory / _FILE
