"""Which server of the chat the user is at, and texts about it, in the user's language.

Where several servers are one chat, the user comes in at one of them and may be moved to another.
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
    """The server at which the user is, among those of the chat."""

    def __init__(
        self,
        to: Destination,
        nodes: Nodes | None = None,
        introduction: Callable[[], str] = str,
    ) -> None:
        """`introduction` returns what there is to know of a server met for the first time."""
        self._nodes = nodes or Nodes(to.addresses)
        self._first = to.addresses[0]
        self._introduction = introduction
        self._left = self.address

    @property
    def address(self) -> Address:
        """The server of the current connection, or of the last one."""
        return self._nodes.current or self._first

    def introduction(self) -> str:
        """Return what the user has to know of the servers, after each connection; often empty."""
        refused = (
            unreachable.passed_over(failure)
            for _address, failure in self._nodes.passed_over
            if isinstance(failure, CertificateRefused)
        )
        return "\n".join(filter(None, (self._introduction(), *refused)))

    def greeting(self) -> str:
        """Return where the user is; empty where the chat has only one server."""
        if not self._nodes.are_several:
            return ""
        # A server may have several addresses: so nobody knows here how many servers there are.
        text = _("This chat has several servers. You are at {server}.")
        return text.format(server=self.address)

    def note_loss(self) -> Callable[[], str]:
        """Note that the connection is lost; return what happens now."""
        self._left = self.address
        if self._nodes.are_several:
            return lambda: _("Trying the other servers of this chat…")
        return lambda: _("Reconnecting automatically…")

    def note_return(self) -> list[Callable[[], str]]:
        """Return what there is to say now that there is a connection again."""
        here, introduction = self.address, self.introduction()
        notices = [lambda: _("Reconnected. You are now at {server}.").format(server=here)]
        if here == self._left:
            notices = [lambda: _("Reconnected.")]
        return [*notices, lambda: introduction] if introduction else notices
