"""The secrets that a user needs on a server: its code, the key of the names, the operator's secret.

Attempts to connect use it in their threads, one after another. It may read and write the keyring's
file.
"""

from contextlib import suppress

from msgspec import UNSET

from tertulia.chat.destination import Destination
from tertulia.chat.keyring import Keyring, KeyringError, server_names
from tertulia.protocol.messages import Error, ErrorCode

# The server checks the code first. After these refusals the code was therefore correct.
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
    """Return whether a registration was refused because the code was missing or wrong."""
    return error.code in (ErrorCode.CODE_REQUIRED, ErrorCode.CODE_WRONG)


class Credentials:
    """The code and the key of one user for one chat.

    Several servers that the person names are one chat with one code and one key, which are stored
    for each of them. Nothing is stored for a server that only another server has named, because it
    may not belong to this chat.

    Attempts to connect use it in their threads, one after another. A face sets `code` only while no
    attempt is under way.
    """

    def __init__(
        self, to: Destination, keyring: Keyring | None = None, code: str | None = None
    ) -> None:
        """Look up the stored code and key of the servers, unless there is no `keyring`.

        The code of `to` comes first, then `code`, then the stored one. If the keyring cannot be
        used, there is no key, and `problem` explains why.
        """
        self.code = to.code or code
        self.key: str | None = None
        self.operator_secret: str | None = None
        self.problem = ""
        self._kept_code: str | None = None
        self._keyring = keyring
        self._servers = server_names(to.addresses)
        # Whether the stored code is the same for each of them.
        self._are_alike = len(self._servers) == 1
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
        """Return the code without bytes that are not text, as a command line may have."""
        return None if self.code is None else self.code.encode(errors="replace").decode()

    def note_accepted(self, code: str | None) -> None:
        """Remember a code that the server has accepted."""
        self._keep_code(code)

    def note_refusal(self, code: str | None, error: Error) -> None:
        """Forget a wrong code; remember a correct one that was sent with a refused registration.

        Only a stored code is forgotten.
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
