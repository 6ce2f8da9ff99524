"""The methods that a chat calls on the face, which shows the chat to a person.

Only a protocol: each face implements it. The chat calls it in the face's own thread.
"""

from collections.abc import Callable
from typing import Protocol

from tertulia.client.inbox import Incoming
from tertulia.protocol.messages import Answer, Direct, DirectMessage, Request, Say, ServerMessage


class Face(Protocol):
    """A program part that shows a chat to a person. The chat calls it in the face's own thread."""

    def show_raw(self, incoming: Incoming) -> None:
        """Show a message unchanged, before the chat handles it."""

    def show_message(self, message: ServerMessage) -> None:
        """Show an event; messages of the general chat come in order, and each of them once."""

    def show_changed_people(self) -> None:
        """Show the current people: something about them has changed without an event."""

    def forget_numbers(self) -> None:
        """Forget the numbers of the messages shown so far, because they are no longer valid."""

    def show_notice(self, words: Callable[[], str]) -> None:
        """Show a text of this program; call `words` again after a change of language."""

    def show_failure(self, words: Callable[[], str]) -> None:
        """Show a text about a failure, as `show_notice` does."""

    def greet(self, people: int) -> None:
        """Greet the person: the first list of users has arrived."""

    def finish_entering(self) -> None:
        """Show the rest of the greeting: the first page has come, or will not come."""

    def show_answer(self, request: Request, answer: Answer) -> None:
        """Show the answer to a request of the person."""

    def show_no_answer(self, request: Request) -> None:
        """Show that the server did not answer a request; it may have been carried out."""

    def show_on_its_way(self, request: Say | Direct) -> None:
        """Show that the server, or the recipient, has not yet confirmed a message."""

    def show_delivery(self, request: Direct, message: DirectMessage) -> None:
        """Show that a direct message has reached its recipient."""

    def show_uncertain_delivery(self, request: Direct) -> None:
        """Show that a direct message may or may not have reached its recipient.

        It was sent before the connection was lost, and cannot be sent again.
        """
