"""The existing hooks, by secret and by name. Pure state, no clock.

This is a part of the Room. Only the hash of a secret is known. Used under the Hub's lock only.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from tertulia.protocol.names import Name, parse_name
from tertulia.server.hub.records import Change, Hook, HookMessage, Records, Removed


def hash_of(secret: str) -> str:
    """Return the hash of a secret, by which its hook is found."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


class Hooks:
    """The rows, and when each was last used. Rows that have to be stored are added to `changes`."""

    def __init__(self, changes: list[Change]) -> None:
        self._by_hash: dict[str, Hook] = {}
        self.by_name: dict[str, Hook] = {}  # by the names' keys
        self._used: dict[str, str] = {}
        self._changes = changes

    def __len__(self) -> int:
        return len(self._by_hash)

    def __iter__(self) -> Iterator[Hook]:
        return iter(self._by_hash.values())

    def restore(self, records: Records) -> None:
        """Restore the rows that an earlier run has kept."""
        for hook in records(Hook):
            self._put(hook)

    def resume(self, rows: Iterable[Hook], used: Mapping[str, str]) -> None:
        """Begin with the rows of another node, and the times of their last use, by key."""
        for hook in rows:
            self._put(hook)
        self._used = dict(used)

    @property
    def last_used(self) -> dict[str, str]:
        """The times at which hooks were last used in this run, by their keys."""
        return self._used

    def find(self, secret_hash: str) -> Hook | None:
        """Return the hook whose secret has this hash."""
        return self._by_hash.get(secret_hash)

    def named(self, name: Name) -> Hook | None:
        """Return the hook that any spelling of its name means."""
        return self.by_name.get(name.key)

    def used(self, hook: Hook) -> str | None:
        """Return when a hook was last used in this run."""
        return self._used.get(hook.key)

    def create(self, hook: Hook) -> None:
        """Add a hook with a free name."""
        self._put(hook)
        self._changes.append(hook)

    def remove(self, hook: Hook) -> None:
        """Remove a hook; its secret is invalid from now on."""
        del self._by_hash[hook.key]
        self.by_name = {key: other for key, other in self.by_name.items() if other is not hook}
        self._used.pop(hook.key, None)
        self._changes.append(Removed(Hook, hook.key))

    def note_message(self, hook: Hook, seq: int, time: str) -> None:
        """Note that a message came through a hook."""
        self._used[hook.key] = time
        self._changes.append(HookMessage(key=seq))

    def _put(self, hook: Hook) -> None:
        name = parse_name(hook.name)
        self._by_hash[hook.key] = hook
        self.by_name[hook.name if name is None else name.key] = hook
