"""What a user needs to enter a server: its code, the key of the names, the operator's secret."""

from contextlib import suppress

from msgspec import UNSET

from tertulia.chat.destination import Destination
from tertulia.chat.keyring import Keyring, KeyringError, server_names
from tertulia.protocol.messages import Error, ErrorCode

# The server looks at the code first. So with these refusals it was the right one.
_AFTER_THE_CODE = (
    ErrorCode.BANNED,
    ErrorCode.LOCKED,
    ErrorCode.NAME_HELD,
    ErrorCode.NAME_INVALID,
    ErrorCode.NAME_TAKEN,
    ErrorCode.ADDRESS_TAKEN,
    ErrorCode.SERVER_FULL,
)


def asks_for_code(error: Error) -> bool:
    """Return whether a registration was refused for want of the right code."""
    return error.code in (ErrorCode.CODE_REQUIRED, ErrorCode.CODE_WRONG)


class Credentials:
    """The code and the key of one user for one chat.

    Where the person names several servers, they are one chat with one code and one key, which are
    kept for each of them. Nothing is kept for a server that only another server has named: that one
    may be no part of this chat.

    Attempts to connect use it in their threads, one after another. A face sets `code` while there
    is no attempt under way.
    """

    def __init__(
        self, to: Destination, keyring: Keyring | None = None, code: str | None = None
    ) -> None:
        """Look up what is kept for the servers, unless there is no `keyring`.

        The code of `to` counts first, then `code`, then the one that is kept. `problem` says in
        words why the keyring cannot be used; then there is no key.
        """
        self.code = to.code or code
        self.key: str | None = None
        self.operator_secret: str | None = None
        self.problem = ""
        self._kept_code: str | None = None
        self._keyring = keyring
        self._servers = server_names(to.addresses)
        self._are_alike = len(self._servers) == 1  # what is kept for each of them
        if keyring is None:
            return
        try:
            kept = keyring.entry_with_key(keyring.server_with_key(self._servers))
        except KeyringError as problem:
            self.problem = str(problem)
            return
        self.key = None if kept.key is UNSET else kept.key
        self._kept_code = None if kept.code is UNSET else kept.code
        self.code = self.code or self._kept_code

    def readable_code(self) -> str | None:
        """Return the code without bytes that are no text, which a command line may have."""
        return None if self.code is None else self.code.encode(errors="replace").decode()

    def note_accepted(self, code: str | None) -> None:
        """Remember a code with which the server has let the user in."""
        self._keep_code(code)

    def note_refusal(self, code: str | None, error: Error) -> None:
        """Remember a code that was right, although something else was refused; forget a wrong one.

        Only the one that was kept is forgotten.
        """
        if error.code in _AFTER_THE_CODE:
            self._keep_code(code)
        elif error.code == ErrorCode.CODE_WRONG and code == self._kept_code:
            self._keep_code(None)

    def _keep_code(self, code: str | None) -> None:
        if self._keyring is None or (code == self._kept_code and self._are_alike):
            return
        with suppress(KeyringError):  # The person is asked for it the next time.
            for server in self._servers:
                self._keyring.remember_code(server, code)
                if self.key is not None and self._keyring.entry(server).key is UNSET:
                    self._keyring.set_key(server, self.key)
            self._kept_code = code
            self._are_alike = True
