"""The secrets that this user's programs store for each server: the code and the key of the names.

A key is a random secret of this user for one server, which reserves names for it. All are in one
file of the state directory, which only this user can read. Several programs may use it at once. The
functions read and write the disk.
"""

import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from tertulia.client.addresses import Address
from tertulia.i18n import _
from tertulia.protocol.envelope import Key
from tertulia.state_directory import locked, state_directory, write_private

_FILE = "keyring.json"
_KEY_BYTES = 24  # random bytes
_MAX_EARLIER_KEYS = 10


class KeyringError(Exception):
    """The keyring cannot be used; the text explains why and the consequence."""


class ServerEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The code and the keys of one server. `earlier_keys` were replaced by keys from a file."""

    key: Key | UnsetType = UNSET
    code: str | UnsetType = UNSET
    earlier_keys: list[str] = []


class _Content(Struct, kw_only=True):
    servers: dict[str, ServerEntry] = {}


class NamedKey(NamedTuple):
    """A key and its server; without a server it is for any server."""

    server: str | None
    key: str


def server_names(addresses: Sequence[Address]) -> list[str]:
    """Return the names under which several servers are stored."""
    return [server_name(*address) for address in addresses]


def server_name(host: str, port: int) -> str:
    """Return the name under which a server is stored: its address and port as typed."""
    host = host.lower().rstrip(".")
    with suppress(OSError):  # it is a host name
        host = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, host))
    return f"{host} {port}"


class Keyring:
    """The file with the keys and codes; each call reads it again."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or _default_path()

    def entry(self, server: str) -> ServerEntry:
        """Return the entry of a server. Raises KeyringError."""
        return self._read().servers.get(server, ServerEntry())

    def entry_with_key(self, server: str) -> ServerEntry:
        """Return the entry of a server; create the key if there is none. Raises KeyringError."""
        found = self.entry(server)
        if found.key is not UNSET:
            return found
        new = secrets.token_urlsafe(_KEY_BYTES)
        return self._change(
            server, lambda entry: entry if entry.key is not UNSET else replace(entry, key=new)
        )

    def server_with_key(self, servers: Sequence[str]) -> str:
        """Return the first of several servers that has a key; if none has one, the first of all.

        Raises KeyringError.
        """
        kept = self._read().servers
        has_key = (each for each in servers if each in kept and kept[each].key is not UNSET)
        return next(has_key, servers[0])

    def remember_code(self, server: str, code: str | None) -> None:
        """Store the code of a server; None removes it. Raises KeyringError."""
        kept = UNSET if code is None else code
        if self.entry(server).code != kept:
            self._change(server, lambda entry: replace(entry, code=kept))

    def all_keys(self) -> list[NamedKey]:
        """Return the keys of all servers. Raises KeyringError."""
        servers = self._read().servers
        return [
            NamedKey(server, entry.key)
            for server, entry in sorted(servers.items())
            if entry.key is not UNSET
        ]

    def set_key(self, server: str, key: str) -> None:
        """Use this key for a server from now on. Raises KeyringError."""

        def change(entry: ServerEntry) -> ServerEntry:
            if entry.key in (UNSET, key):
                return replace(entry, key=key)
            earlier = [entry.key, *(each for each in entry.earlier_keys if each != key)]
            return replace(entry, key=key, earlier_keys=earlier[:_MAX_EARLIER_KEYS])

        self._change(server, change)

    def _change(self, server: str, change: Callable[[ServerEntry], ServerEntry]) -> ServerEntry:
        with self._locked() as path:
            content = self._read()
            entry = content.servers[server] = change(content.servers.get(server, ServerEntry()))
            try:
                write_private(path, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
            except OSError as error:
                raise self._not_usable(error) from error
            return entry

    @contextmanager
    def _locked(self) -> Iterator[Path]:
        """Lock the file against other programs, and yield its path."""
        if self._path is None:
            raise KeyringError(_("Codes and keys cannot be kept: there is no home directory."))
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self._path.with_suffix(".lock")))
            except OSError as error:
                raise self._not_usable(error) from error
            yield self._path

    def _read(self) -> _Content:
        """Return the content; a file in another format is an error and is never overwritten."""
        if self._path is None:
            return _Content()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except FileNotFoundError:
            return _Content()
        except (OSError, msgspec.DecodeError) as error:
            raise self._not_usable(error) from error

    def _not_usable(self, error: Exception) -> KeyringError:
        text = _(
            "Your codes and keys in {file} cannot be used ({reason}). Names are not held for you."
        )
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        return KeyringError(text.format(file=self._path, reason=reason))


def _default_path() -> Path | None:
    directory = state_directory()
    return None if directory is None else directory / _FILE
