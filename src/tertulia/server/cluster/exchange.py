"""What the parts of a node's Hub need of the other nodes; `Peers` provides it."""

from typing import Protocol

from tertulia.protocol.messages import GetInfo, UserInfo
from tertulia.server.cluster.letters import Letter
from tertulia.server.hub.session import Owner, Session


class Exchange(Protocol):
    """Reaches other nodes, and the sessions of this one. Any thread; under the Hub's lock too."""

    def is_own(self, session: Session) -> bool:
        """Return whether a session is served by this node."""

    def is_up(self, node: str) -> bool:
        """Return whether a node is up."""

    def post(self, node: str, letter: Letter) -> None:
        """Send a letter to a node."""

    def tell_all(self, letter: Letter) -> None:
        """Send a letter to every other node that is up."""

    def wake(self, session: Session) -> None:
        """Have a session of this node sent the direct messages that wait for it."""

    def ask_idle(self, owner: Owner, number: int, request: GetInfo, info: UserInfo) -> None:
        """Ask a user's node how long the user has been idle, to answer a request."""
