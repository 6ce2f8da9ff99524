"""A face for tests, which notes what a chat shows."""

from collections.abc import Callable
from typing import Any

from tertulia.client.inbox import Incoming
from tertulia.protocol.messages import Answer, Direct, DirectMessage, Request, Say


class NotingFace:
    """A face that records everything it is asked to show."""

    def __init__(self) -> None:
        self.shown: list[tuple[Any, ...]] = []
        self.words: list[Callable[[], str]] = []
        self.arrived: list[Any] = []

    def show_raw(self, incoming: Incoming) -> None:
        self.arrived.append(incoming.message)

    def show_message(self, message: Any) -> None:
        if not isinstance(message, Answer):  # those are told with their requests
            self.shown.append(("show_message", message))

    def show_changed_people(self) -> None:
        self.shown.append(("show_changed_people",))

    def forget_numbers(self) -> None:
        self.shown.append(("forget_numbers",))

    def show_notice(self, words: Callable[[], str]) -> None:
        self.words.append(words)
        self.shown.append(("show_notice", words()))

    def show_failure(self, words: Callable[[], str]) -> None:
        self.words.append(words)
        self.shown.append(("show_failure", words()))

    def greet(self, people: int) -> None:
        self.shown.append(("greet", people))

    def finish_entering(self) -> None:
        self.shown.append(("finish_entering",))

    def show_answer(self, request: Request, answer: Any) -> None:
        self.shown.append(("show_answer", request, answer))

    def show_no_answer(self, request: Request) -> None:
        self.shown.append(("show_no_answer", request))

    def show_on_its_way(self, request: Say | Direct) -> None:
        self.shown.append(("show_on_its_way", request))

    def show_delivery(self, request: Direct, message: DirectMessage) -> None:
        self.shown.append(("show_delivery", request, message.to, message.text))

    def show_uncertain_delivery(self, request: Direct) -> None:
        self.shown.append(("show_uncertain_delivery", request))
