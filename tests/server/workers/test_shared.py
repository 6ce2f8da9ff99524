"""The parts that all workers of a server use, as its options make them."""

from typing import Any

from worker_bench import FakeHistory

from tertulia.protocol.messages import Register
from tertulia.protocol.moderation import BecomeOperator
from tertulia.server.config import Config
from tertulia.server.doors.console import ConsoleDoor
from tertulia.server.doors.native import NativeDoor
from tertulia.server.hub.hub import Hub
from tertulia.server.workers.admission import Admission
from tertulia.server.workers.shared import Shared

HOME = "10.0.0.1"


def shared(history: FakeHistory | None = None, **options: Any) -> Shared:
    config = Config(port=0, **options)
    parts: Any = history
    return Shared(config, Hub(config, history), parts, Admission(config), NativeDoor)


def test_consoles_come_through_the_common_door_unless_they_have_their_own() -> None:
    parts = shared()
    assert isinstance(parts.new_console_door(), NativeDoor)
    own = Shared(parts.config, parts.hub, None, parts.admission, NativeDoor, ConsoleDoor)
    assert isinstance(own.new_console_door(), ConsoleDoor)
    assert isinstance(own.new_door(), NativeDoor)


def test_the_history_answers_requests_for_pages() -> None:
    history = FakeHistory()
    assert shared(history).pages is history
    assert shared().pages is None


def test_a_server_alone_always_carries_out_requests() -> None:
    assert shared().node is None


def test_only_a_server_with_a_code_asks_for_it() -> None:
    assert shared().entry_code is None
    code = shared(code="able-baker").entry_code
    assert code is not None
    assert code.check(Register(name="ana", code="able-baker"), HOME, 0.0) is None
    refused = code.check(Register(name="ana", code="other"), HOME, 0.0)
    assert refused is not None
    assert refused.code == "code_wrong"


def test_only_the_secret_of_the_options_makes_an_operator() -> None:
    request = BecomeOperator(secret="mellon")
    assert shared(operator_secret="mellon").operator_secret.check(request, HOME, 0.0) is None
    refused = shared().operator_secret.check(request, HOME, 0.0)
    assert refused is not None
    assert refused.code == "operator_wrong"


def test_wrong_guesses_of_one_secret_do_not_count_for_another() -> None:
    parts = shared(code="able-baker", operator_secret="mellon")
    assert parts.entry_code is not None
    for _time in range(5):
        parts.hook_access.check("wrong", HOME, 0.0)
        parts.operator_secret.check(BecomeOperator(secret="friend"), HOME, 0.0)
    assert parts.entry_code.check(Register(name="ana", code="able-baker"), HOME, 0.0) is None
