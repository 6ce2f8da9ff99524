"""Each thing that goes wrong has a cause and one thing to do, in the user's language."""

import pytest

from tertulia.chat.destination import Destination
from tertulia.chat.explain import (
    connection_ended,
    gave_up,
    registration_refused,
    request_refused,
)
from tertulia.chat.explain import refused as explain_refusal
from tertulia.chat.unreachable import no_connection
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    End,
    EndReason,
    NoConnection,
    RegistrationRefused,
)
from tertulia.i18n import set_language
from tertulia.protocol.messages import (
    Direct,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    Say,
)
from tertulia.tls.fingerprint import Fingerprint

KNOWN, SHOWN = Fingerprint(bytes(32)), Fingerprint(b"\xff" * 32)
TO = Destination("luis", "192.168.1.10", 5000)


def refused(code: str, to: Destination = TO) -> str:
    return registration_refused(Error(code=code, message="English"), to)


def test_a_taken_name_gets_another_and_the_whole_command() -> None:
    set_language("es")
    assert refused(ErrorCode.NAME_TAKEN) == (
        "Ya hay un usuario «luis» conectado. "
        "Prueba con otro nombre: tertulia luis2 192.168.1.10 5000"
    )


def test_the_user_in_the_way_is_named_if_the_name_only_looks_like_it() -> None:
    error = Error(code=ErrorCode.NAME_TAKEN, message="", name="Ana")
    text = registration_refused(error, Destination("an.a", "10.9.9.9", 5000))
    assert text.startswith("A user called “Ana” is already connected. Try another name: ")


def test_a_held_name_gets_another_one_and_the_way_for_its_owner() -> None:
    text = refused(ErrorCode.NAME_HELD)
    assert "Try another name: tertulia luis2 192.168.1.10 5000\n" in text
    assert "--export-key FILE there, then tertulia --key FILE here" in text


def test_a_code_is_asked_for_and_the_command_has_its_place() -> None:
    command = "Then use: tertulia luis 192.168.1.10 5000 --code CODE"
    assert command in refused(ErrorCode.CODE_REQUIRED)
    wrong = refused(ErrorCode.CODE_WRONG, Destination("luis", "192.168.1.10", 5000, code="no"))
    assert command in wrong


def test_a_given_code_stays_in_the_command_as_the_shell_needs_it() -> None:
    to = Destination("luis", "192.168.1.10", 5000, code="mañana a las 8")
    assert refused(ErrorCode.NAME_TAKEN, to).endswith("5000 --code 'mañana a las 8'")


def test_too_many_attempts_say_how_long_to_wait() -> None:
    error = Error(code=ErrorCode.RATE_LIMITED, message="English", retry_after=12.2)
    assert registration_refused(error, TO).endswith("Try again in 13 seconds.")


def test_a_taken_address_names_the_operators_option() -> None:
    assert "tertulia-server 5000 --shared-addresses" in refused(ErrorCode.ADDRESS_TAKEN)
    assert "--source" not in refused(ErrorCode.ADDRESS_TAKEN)


def test_on_one_machine_another_loopback_address_helps() -> None:
    text = refused(ErrorCode.ADDRESS_TAKEN, Destination("luis", "127.0.0.1", 1))
    assert text.endswith("tertulia luis 127.0.0.1 1 --source 127.0.0.2")


def test_an_invalid_name_gets_the_rule_and_a_similar_one() -> None:
    text = refused(ErrorCode.NAME_INVALID, Destination("ana maría!", "h", 1))
    assert "1 to 32 letters" in text
    assert text.endswith("Try: tertulia ana_maría h 1")
    assert "Try" not in refused(ErrorCode.NAME_INVALID, Destination("!!", "h", 1))
    text = refused(ErrorCode.NAME_INVALID, Destination("todos", "h", 1))
    assert text.endswith("the chat uses this word. Try: tertulia todos2 h 1")


def test_a_good_name_is_not_blamed_for_what_a_server_could_not_read() -> None:
    assert "cannot be a name" in refused(ErrorCode.MALFORMED, Destination("a b", "h", 1))
    words = refused(ErrorCode.MALFORMED)
    assert words == "The server could not take what this program sent: English."


def test_a_server_has_not_the_last_word_for_ever() -> None:
    endless = Error(code="c" * 10_000, message="m" * 10_000, name="n" * 10_000)
    ended = End(EndReason.LOST, error=endless)
    for text in (request_refused(endless, Say(text="a")), connection_ended(ended)):
        assert len(text) < 2_000


@pytest.mark.parametrize("lang", ["es", "en"])
def test_every_refusal_has_words_without_leftover_placeholders(lang: str) -> None:
    set_language(lang)
    texts = [
        *(refused(code) for code in ErrorCode),
        *(
            request_refused(Error(code=code, message="English"), request)
            for code in [*ErrorCode, "from_the_future"]
            for request in (
                Say(text="a"),
                Direct(to="eva", text="a"),
                GetInfo(name="eva"),
                GetHistory(),
            )
        ),
        *(no_connection(NoConnection(failure, "detail"), TO) for failure in ConnectFailure),
        *(
            connection_ended(End(reason, error=error))
            for reason in EndReason
            for error in (None, Error(code="flood", message="English"))
        ),
        gave_up(30, TO),
    ]
    for text in texts:
        assert len(text) > 20
        assert "{" not in text


def test_a_direct_message_that_was_not_delivered_says_so() -> None:
    error = Error(code=ErrorCode.USER_NOT_CONNECTED, message="no", name="Eva")
    assert request_refused(error, Direct(to="eva", text="a")) == (
        "Not delivered: nobody called “Eva” is connected."
    )
    assert request_refused(error, GetInfo(name="eva")) == "Nobody called “Eva” is connected."


def test_a_history_that_is_off_is_explained() -> None:
    set_language("es")
    text = request_refused(Error(code=ErrorCode.HISTORY_OFF, message="English"), GetHistory())
    assert "historial" in text
    assert "English" not in text


def test_giving_up_names_the_time_and_the_whole_command() -> None:
    assert gave_up(31, TO) == (
        "There has been no connection for 31 s. When the server is running again, use: "
        "tertulia luis 192.168.1.10 5000"
    )


def test_braces_in_what_a_server_says_are_only_text() -> None:
    assert "{name} {0}" in registration_refused(Error(code="future", message="{name} {0}"), TO)


# --- TLS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pin", [KNOWN.hex, KNOWN.words])
def test_a_changed_certificate_is_shown_with_the_known_one_and_what_to_do(pin: str) -> None:
    set_language("en")
    lines = explain_refusal(CertificateRefused(pin, SHOWN, "x"), TO).splitlines()
    assert lines[0] == "192.168.1.10, port 5000, shows another certificate than expected."
    assert lines[1] == f"    expected: {KNOWN.words}"
    assert lines[2] == f"    shown: {SHOWN.words}"
    command = f"tertulia luis 192.168.1.10 5000 --pin '{SHOWN.words}'"
    assert lines[-1].endswith(f"Only if they are the ones shown here, use: {command}")


def test_a_server_that_speaks_no_tls_any_more_gets_the_way_without_it() -> None:
    set_language("en")
    text = explain_refusal(CertificateRefused(KNOWN.hex, None, "x"), TO)
    assert "does not speak TLS any more" in text
    assert text.endswith("use: tertulia luis 192.168.1.10 5000 --no-tls")


def test_an_authority_that_trusts_nobody_is_quoted() -> None:
    set_language("en")
    text = explain_refusal(CertificateRefused(None, None, "self-signed certificate"), TO)
    assert "not trusted: self-signed certificate" in text


def test_a_refused_registration_is_explained_in_its_own_words() -> None:
    refusal = RegistrationRefused(Error(code=ErrorCode.NAME_TAKEN, message="x"))
    assert explain_refusal(refusal, TO) == refused(ErrorCode.NAME_TAKEN)


def test_the_commands_for_tls_keep_what_was_given() -> None:
    set_language("en")
    given = Destination("luis", "192.168.1.10", 5000, "127.0.0.2", tls=True, pin=KNOWN.words)
    assert given.command(name="eva") == (
        f"tertulia eva 192.168.1.10 5000 --source 127.0.0.2 --pin '{KNOWN.words}'"
    )
    assert given.command(tls=False).endswith("127.0.0.2 --no-tls")
    assert refused(ErrorCode.TLS_REQUIRED).endswith("Use: tertulia luis 192.168.1.10 5000 --tls")
    text = no_connection(NoConnection(ConnectFailure.NO_TLS), given)
    assert text.endswith(
        "Without encryption: tertulia luis 192.168.1.10 5000 --source 127.0.0.2 --no-tls"
    )
