"""Moves keys to another computer: `--export-key FILE` there, `--key FILE` here.

The functions read and write files, in the thread that calls.
"""

import os
import sys
from pathlib import Path

import msgspec

from tertulia.chat.destination import Destination
from tertulia.chat.keyring import Keyring, KeyringError, NamedKey, server_names
from tertulia.i18n import _, ngettext
from tertulia.protocol.envelope import Key

_HEAD = "# Keys of tertulia. Anyone who has this file can use your names: keep it to yourself.\n"
_STDOUT = "-"


class KeyFileError(Exception):
    """The keys cannot be moved; the text explains why."""


def export_keys(keyring: Keyring, file: str, to: Destination | None) -> str:
    """Write the key for a server, or all keys, to a file that must not exist yet.

    Returns a text about it. Raises KeyFileError.
    """
    try:
        if to is None:
            keys = keyring.all_keys()
        else:
            server = keyring.server_with_key(server_names(to.addresses))
            entry = keyring.entry_with_key(server)
            keys = [NamedKey(server, str(entry.key))]
    except KeyringError as error:
        raise KeyFileError(str(error)) from error
    if not keys:
        raise KeyFileError(_("There are no keys yet: this user has not been in any chat."))
    content = write_keys(keys)
    if file == _STDOUT:
        sys.stdout.write(content)
    else:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as opened:
                opened.write(content)
        except OSError as error:
            text = _("The keys cannot be written to {file}: {reason}.")
            raise KeyFileError(text.format(file=file, reason=error.strerror)) from error
    text = ngettext(
        "{count} key written to {file}. Anyone who has this file can use your names.",
        "{count} keys written to {file}. Anyone who has this file can use your names.",
        len(keys),
    )
    return text.format(count=len(keys), file=file)


def import_keys(keyring: Keyring, file: str, to: Destination | None) -> str:
    """Use the key in a file for a server from now on, or each key in it for its own server.

    Returns a text about it. Raises KeyFileError.
    """
    found = _keys_of(file)
    if to is not None:
        servers = server_names(to.addresses)
        # If a file has only one key, it is for this server, even if the server has another address
        # here.
        found = found if len(found) == 1 else [key for key in found if key.server in servers]
        found = [NamedKey(server, key.key) for key in found[:1] for server in servers]
    if not found or any(key.server is None for key in found):
        text = _("It is not clear which key in {file} to use: give NAME SERVER-IP PORT too.")
        if to is not None:
            text = _("There is no key for {server} in {file}.")
        server = "" if to is None else f"{to.hosts} {to.port}"
        raise KeyFileError(text.format(file=file, server=server))
    try:
        for key in found:
            keyring.set_key(str(key.server), key.key)
    except KeyringError as error:
        raise KeyFileError(str(error)) from error
    count = len({key.key for key in found})
    text = ngettext("{count} key taken from {file}.", "{count} keys taken from {file}.", count)
    return text.format(count=count, file=file)


def _keys_of(file: str) -> list[NamedKey]:
    try:
        content = sys.stdin.read() if file == _STDOUT else Path(file).read_text(encoding="utf-8")
        keys = read_keys(content)
    except OSError as error:
        text = _("The keys in {file} cannot be read: {reason}.")
        raise KeyFileError(text.format(file=file, reason=error.strerror)) from error
    except ValueError:
        keys = []
    if not keys:
        text = _("There are no keys in {file}. Make the file with: tertulia --export-key {file}")
        raise KeyFileError(text.format(file=file))
    return keys


def write_keys(keys: list[NamedKey]) -> str:
    """Return the content of a file with keys: one key per line, after its server."""
    return _HEAD + "".join(f"{each.server} {each.key}\n" for each in keys)


def read_keys(content: str) -> list[NamedKey]:
    """Return the keys in such a file; a key may also be without a server. Raises ValueError."""
    found = []
    for line in content.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        *server, key = line.split()
        if len(server) not in (0, 2):
            raise ValueError("a line is no key")
        try:
            found.append(NamedKey(" ".join(server) or None, msgspec.convert(key, Key)))
        except msgspec.ValidationError as error:
            raise ValueError("a key is none") from error
    return found
