"""What a chat needs from the face that shows it to a person."""

from collections.abc import Callable
from typing import Protocol

from tertulia.client.inbox import Incoming
from tertulia.protocol.messages import Answer, Direct, DirectMessage, Request, Say, ServerMessage


class Face(Protocol):
    """What shows a chat to a person. The chat calls it in the face's own thread."""

    def show_raw(self, incoming: Incoming) -> None:
        """Show a message as it came, before the chat handles it."""

    def show_message(self, message: ServerMessage) -> None:
        """Show what happened; messages of the general chat come in order, each of them once."""

    def show_changed_people(self) -> None:
        """Show the people as they are now: something about them has changed without an event."""

    def forget_numbers(self) -> None:
        """Forget the numbers of the messages shown so far, because they mean nothing any more."""

    def show_notice(self, words: Callable[[], str]) -> None:
        """Show words of this program; call `words` again after a change of language."""

    def show_failure(self, words: Callable[[], str]) -> None:
        """Show words about something that has failed, as `show_notice` does."""

    def greet(self, people: int) -> None:
        """Greet the person: the first list of users has come."""

    def finish_entering(self) -> None:
        """Show what follows the first page of history, which has come or will not come."""

    def show_answer(self, request: Request, answer: Answer) -> None:
        """Show the answer to a request of the person."""

    def show_no_answer(self, request: Request) -> None:
        """Show that a request has no answer; it may have been carried out."""

    def show_on_its_way(self, request: Say | Direct) -> None:
        """Show that it takes time until the server, or the recipient, confirms a message."""

    def show_delivery(self, request: Direct, message: DirectMessage) -> None:
        """Show that a direct message has reached its recipient."""

    def show_uncertain_delivery(self, request: Direct) -> None:
        """Show that nobody knows whether a direct message has reached its recipient.

        It was sent before the connection was lost, and cannot be sent any more.
        """
