"""The server of the chat that the user is connected to, and texts about it.

If several servers are one chat, the user enters through one of them and may be moved to another.
Used in the face's thread.
"""

from collections.abc import Callable

from tertulia.chat import unreachable
from tertulia.chat.destination import Destination
from tertulia.client.addresses import Address
from tertulia.client.errors import CertificateRefused
from tertulia.client.nodes import Nodes
from tertulia.i18n import _


class Whereabouts:
    """The user's current server among those of the chat."""

    def __init__(
        self,
        to: Destination,
        nodes: Nodes | None = None,
        introduction: Callable[[], str] = str,
    ) -> None:
        """Begin at the servers of `to`; `introduction` returns a text about new servers."""
        self._nodes = nodes or Nodes(to.addresses)
        self._first = to.addresses[0]
        self._introduction = introduction
        self._left = self.address

    @property
    def address(self) -> Address:
        """Return the server of the current connection, or of the last one."""
        return self._nodes.current or self._first

    def introduction(self) -> str:
        """Return a text about new servers, after each connection; it is often empty."""
        refused = (
            unreachable.passed_over(failure)
            for _address, failure in self._nodes.passed_over
            if isinstance(failure, CertificateRefused)
        )
        return "\n".join(filter(None, (self._introduction(), *refused)))

    def greeting(self) -> str:
        """Return a text about the current server; empty if the chat has only one server."""
        if not self._nodes.are_several:
            return ""
        # A server may have several addresses, so the number of servers is not known here.
        text = _("This chat has several servers. You are at {server}.")
        return text.format(server=self.address)

    def note_loss(self) -> Callable[[], str]:
        """Note that the connection is lost; return the function that makes the text about it."""
        self._left = self.address
        if self._nodes.are_several:
            return lambda: _("Trying the other servers of this chat…")
        return lambda: _("Reconnecting automatically…")

    def note_return(self) -> list[Callable[[], str]]:
        """Return the functions that make the texts about a restored connection."""
        here, introduction = self.address, self.introduction()
        notices = [lambda: _("Reconnected. You are now at {server}.").format(server=here)]
        if here == self._left:
            notices = [lambda: _("Reconnected.")]
        return [*notices, lambda: introduction] if introduction else notices
