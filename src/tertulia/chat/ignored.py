"""The people whom the user ignores in one chat: their messages are not shown and ring no bell.

The server is not informed. Names are compared as the server compares them. They are stored in a
file of the state directory, separately for each server; the functions that change them read and
write the disk. For the face's one thread.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tertulia.i18n import _, ngettext
from tertulia.protocol.envelope import StoredMessage
from tertulia.protocol.messages import HistoryPage
from tertulia.protocol.names import parse_name
from tertulia.state_directory import locked, state_directory, write_private

_FILE = "ignored.json"
_Servers = dict[str, list[str]]  # the names, by the server as the user types it


class Ignored:
    """The ignored names, each with the number of its messages hidden in this run."""

    def __init__(
        self, own_name: str, servers: str | Sequence[str] = (), path: Path | None = None
    ) -> None:
        """Read the stored names; without any `servers` nothing is stored.

        Several `servers` are one chat. `problem` explains why nothing could be read.
        """
        self._own_name = own_name
        self._servers = (servers,) if isinstance(servers, str) else tuple(servers)
        self._path = path or _default_path()
        self._names: dict[str, str] = {}  # the names as they were typed, by their keys
        self._hidden: dict[str, int] = {}
        self.problem = ""
        try:
            kept = self._read()
            for server in self._servers:
                self._names |= {_key(name): name for name in kept.get(server, [])}
        except (OSError, msgspec.DecodeError) as error:
            text = _("The list of people you ignore could not be read from {file} ({reason}).")
            self.problem = text.format(file=self._path, reason=_reason(error))

    def __contains__(self, name: object) -> bool:
        """Return whether a user is ignored."""
        return bool(self._names) and _key(str(name)) in self._names

    def hides(self, sender: str) -> bool:
        """Return whether a message of a user is hidden, and count it if it is."""
        if sender not in self or sender == self._own_name:
            return False
        self._hidden[_key(sender)] = self._hidden.get(_key(sender), 0) + 1
        return True

    def without(self, page: HistoryPage) -> HistoryPage:
        """Return a page of the history without hidden messages."""
        if not self._names:
            return page
        shown = [message for message in page.messages if not self._is_hidden(message)]
        return msgspec.structs.replace(page, messages=shown)

    def add(self, name: str) -> str:
        """Ignore a user from now on; return a text about it."""
        if _key(name) == _key(self._own_name):
            return _("You cannot ignore yourself.")
        if name in self:
            return _("You ignore {name} already.").format(name=name)
        self._names[_key(name)] = name
        words = _("You no longer see what {name} writes. {command} {name} ends that.")
        return self._kept(words.format(name=name, command=_word_to_end()))

    def remove(self, name: str) -> str:
        """Stop ignoring a user; return a text with the number of hidden messages."""
        if name not in self:
            return _("You do not ignore {name}.").format(name=name)
        del self._names[_key(name)]
        hidden = self._hidden.pop(_key(name), 0)
        words = ngettext(
            "You see again what {name} writes. {count} message was hidden.",
            "You see again what {name} writes. {count} messages were hidden.",
            hidden,
        )
        return self._kept(words.format(name=name, count=hidden))

    def lines(self) -> list[str]:
        """Return a line for each user who is ignored, with how many messages were hidden."""
        lines = []
        for key, name in self._names.items():
            hidden = self._hidden.get(key, 0)
            text = ngettext(
                "{name}: {count} message hidden", "{name}: {count} messages hidden", hidden
            )
            lines.append(text.format(name=name, count=hidden))
        return lines or [_("You ignore nobody.")]

    def _is_hidden(self, message: StoredMessage) -> bool:
        return message.sender in self and message.sender != self._own_name

    def _kept(self, words: str) -> str:
        """Save the names for the next run; return `words`, and a warning if that failed."""
        if not self._servers:
            return words
        if self._path is None:
            return words + " " + _("This will not be remembered: there is no home directory.")
        try:
            with locked(self._path.with_suffix(".lock")):
                names_now = list(self._names.values())
                servers = self._read() | dict.fromkeys(self._servers, names_now)
                kept = {server: names for server, names in servers.items() if names}
                content = msgspec.json.format(msgspec.json.encode(kept)) + b"\n"
                write_private(self._path, content)
        except (OSError, msgspec.DecodeError) as error:
            text = _("This will not be remembered: {file} could not be written ({reason}).")
            return words + " " + text.format(file=self._path, reason=_reason(error))
        return words

    def _read(self) -> _Servers:
        if self._path is None or not self._servers:
            return {}
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Servers)
        except FileNotFoundError:
            return {}


def _key(name: str) -> str:
    parsed = parse_name(name)
    return name if parsed is None else parsed.key


def _word_to_end() -> str:
    from tertulia.chat.command_table import UNIGNORE  # that module knows this one's command

    return UNIGNORE.word


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _default_path() -> Path | None:
    directory = state_directory()
    return None if directory is None else directory / _FILE
