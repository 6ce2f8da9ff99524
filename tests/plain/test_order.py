"""Keeping order with the plain face, and ignoring somebody; at the end with a real server."""

from pathlib import Path
from typing import Any

import pytest
from plain_table import TIME, Clock, Table, page, said

from tertulia.i18n import set_language
from tertulia.protocol.messages import Error, ErrorCode, Ok, User, UserList
from tertulia.protocol.moderation import (
    BanList,
    BanRow,
    BecomeOperator,
    Hushed,
    ImposeBan,
    ImposeMute,
    Kick,
    ListBans,
    PinMessage,
    Role,
)

SECRET = "a-secret-of-the-operator"


@pytest.fixture
def operator(clock: Clock) -> Table:
    table = Table(clock, on_terminal=True)
    table.turn()
    table.turn(UserList(id=1, seq=10, users=[]))
    table.turn(page(2))
    table.turn(Role(seq=11, time=TIME, name="ana", operator=True))
    table.client.sent.clear()
    table.stderr.truncate(0)
    table.stderr.seek(0)
    return table


def answer(table: Table, message: Any) -> None:
    table.turn(type(message)(**{**as_fields(message), "id": len(table.client.sent)}))


def as_fields(message: Any) -> dict[str, Any]:
    return {field: getattr(message, field) for field in message.__struct_fields__}


def people(*names: str) -> UserList:
    return UserList(seq=12, users=[User(name=name, status="ACTIVO") for name in names])  # type: ignore[arg-type]


def test_only_operators_find_their_commands_in_help_and_completion(
    table: Table, operator: Table
) -> None:
    assert table.face.complete("/kic").candidates == []
    assert operator.face.complete("/kic").candidates == ["/kick "]
    assert operator.face.complete("/hush ").candidates == ["on", "off"]
    table.face.submit("/help")
    operator.face.submit("/help")
    table.turn()
    operator.turn()
    assert not any(words.startswith("/kick") for words in table.words)
    assert any(words.startswith("/kick, /expulsar NAME [REASON]: ") for words in operator.words)


def test_others_are_told_how_to_become_one_and_nothing_is_sent(table: Table) -> None:
    before = len(table.client.sent)
    table.face.submit("/kick luis")
    table.turn()
    assert table.words[-1] == (
        "Only an operator can do that. To be one, type /operator: it asks for the secret."
    )
    assert len(table.client.sent) == before


def test_a_request_is_carried_out_and_said(operator: Table) -> None:
    operator.face.submit("/kick luis ten lines a second")
    operator.turn()
    assert operator.client.sent == [Kick(name="luis", reason="ten lines a second")]
    answer(operator, Ok())
    assert operator.words == ["luis is no longer in the chat."]
    operator.face.submit("/mute luis 10")
    operator.turn()
    assert operator.client.sent[1:] == [ImposeMute(name="luis", minutes=10.0)]
    answer(operator, Error(code=ErrorCode.USER_NOT_CONNECTED, message="", name="luis"))
    assert operator.words[1:] == ["luis is not here."]


def test_several_are_named_before_they_are_banned_and_no_is_an_answer(operator: Table) -> None:
    check = ImposeBan(address="10.0.0.0/28", check=True)
    for typed in ("n", "nothing like an answer", "y"):
        operator.face.submit("/ban 10.0.0.0/28")
        operator.turn()
        assert operator.client.sent[-1] == check
        answer(operator, people("luis", "eva"))
        assert operator.words[-1] == "This ends the sessions of 2 people: luis, eva"
        assert operator.face.prompt() == "Go on? [y/N] "
        operator.face.submit(typed)
        operator.turn()
        assert operator.face.prompt() == "ana> "
        if typed != "y":
            assert operator.words[-1] == "Nothing was done."
        if typed.startswith("nothing"):  # a message is not lost
            assert operator.client.sent[-1].text == typed  # type: ignore[union-attr]
            answer(operator, Ok())
    assert operator.client.sent[-1] == ImposeBan(address="10.0.0.0/28")
    answer(operator, Ok())
    assert operator.words[-1] == "10.0.0.0/28 may not come in. /unban 10.0.0.0/28 lifts that."


def test_one_alone_is_banned_without_a_question(operator: Table) -> None:
    operator.face.submit("/ban 10.0.0.7 30 spam")
    operator.turn()
    answer(operator, people("luis"))
    assert operator.client.sent[-1] == ImposeBan(address="10.0.0.7", minutes=30.0, reason="spam")
    assert operator.words == []


def test_ctrl_c_is_no(operator: Table) -> None:
    operator.face.submit("/ban 10.0.0.0/28")
    operator.turn()
    answer(operator, people("luis", "eva"))
    operator.face.take_back()
    operator.turn()
    assert operator.words[-1] == "Nothing was done."
    assert len(operator.client.sent) == 1


def test_bans_are_lines_of_the_chat(operator: Table) -> None:
    operator.face.submit("/bans")
    operator.turn()
    assert operator.client.sent == [ListBans()]
    rows = [BanRow(name="Luis", address="10.0.0.7", by="ana", reason="spam\x1b[2J")]
    answer(operator, BanList(bans=rows))
    assert "Luis, 10.0.0.7  by ana  spam␛[2J" in operator.stdout.getvalue()


def test_the_newest_message_is_pinned_or_one_with_a_number_that_operators_see(
    operator: Table,
) -> None:
    operator.face.submit("/pin")
    operator.turn()
    assert operator.words == ["There is no message here that could be pinned."]
    operator.turn(said(12, "a las 8"))
    operator.face.submit("/pin")
    operator.turn()
    assert operator.client.sent == [PinMessage(seq=12)]
    answer(operator, Ok())
    operator.face.submit("/history")
    operator.turn()
    operator.turn(page(2, said(7, "old")))
    assert "earlier: 7 [--:--] luis: old" in operator.stdout.getvalue()
    operator.face.submit("/pin none")
    operator.turn()
    assert operator.client.sent[-1] == PinMessage()


def test_who_may_not_speak_sees_it_in_the_prompt(table: Table) -> None:
    table.turn(Hushed(seq=11, time=TIME, on=True, by="eva"))
    assert table.face.prompt() == "ana, you may not speak> "
    assert table.chat[-1] == "eva: only operators may speak in the general chat now"
    table.face.submit("hola")
    table.turn()
    table.turn(Error(id=2, code=ErrorCode.HUSHED, message=""))
    assert table.words[-1].startswith("Not sent: only operators may speak now. You can still read")


def test_a_secret_in_a_line_is_used_and_shown_nowhere(table: Table) -> None:
    table.face.submit(f"/operator {SECRET}")
    table.turn()
    assert table.client.sent[-1] == BecomeOperator(secret=SECRET)
    table.turn(Error(id=2, code=ErrorCode.OPERATOR_WRONG, message=""))
    assert SECRET not in table.stdout.getvalue() + table.stderr.getvalue()
    table.face.finish([f"/operator {SECRET}"])
    table.output.flush()
    assert table.words[-2] == "Not sent: /operator …"


def test_in_a_pipe_nobody_can_be_asked_for_the_secret(table: Table) -> None:
    table.face.submit("/operator")
    table.turn()
    assert "--operator-secret FILE" in table.words[-1]
    assert table.face.outcomes.refused == 1


def test_ignoring_somebody_hides_what_they_write(table: Table) -> None:
    set_language("es")
    for line in ("/ignorar jose", "/ignorar"):
        table.face.submit(line)
    table.turn(said(11, "hola", "José"), said(12, "hola", "eva"))
    table.face.submit("/ignorar")
    table.face.submit("/atender José")
    table.turn(said(13, "bye", "José"))
    assert table.stdout.getvalue().count("José: 0 mensajes ocultos") == 1
    assert table.stdout.getvalue().count("José: 1 mensaje oculto") == 1
    assert table.words[-2:] == [
        "Ya no verás lo que escriba José. /atender José lo termina.",
        "Vuelves a ver lo que escribe José. Se ocultó 1 mensaje.",
    ]
    assert table.chat[-1] == "José: bye"
    assert "José: hola" not in table.stdout.getvalue()


# --- with a real server --------------------------------------------------------------------------


@pytest.fixture
def port(start_server: Any, tmp_path: Path) -> int:
    (tmp_path / "secret").write_text(SECRET)
    return int(start_server("--operator-secret", str(tmp_path / "secret")).port)


def test_a_teacher_silences_and_removes_a_pupil_in_spanish(
    port: int, sit_down: Any, pipe_in: Any
) -> None:
    luis = pipe_in("luis", port, "--source", "127.9.0.2")
    luis.see_words("Hello, luis.")
    ana = sit_down("ana", "127.0.0.1", port, "--source", "127.9.0.3", LANGUAGE="es")
    ana.see("sale del chat.")
    ana.type("/operador\n")
    ana.see_row("Secreto de operador (no se muestra):")
    ana.type(f"{SECRET}\n")
    ana.see("/ayuda muestra los comandos para eso.")
    assert SECRET.encode() not in ana.written
    ana.type("buenos días\n")
    ana.see("ana: buenos días")
    ana.type("/vistos\n")
    ana.see("No se sabe, porque sus programas no lo informan (1): luis")
    ana.type("/aviso-web build\n")
    ana.see("/quitar-aviso-web build la quita.")
    assert f'curl -d "TEXTO" http://127.0.0.1:{port}/hook/'.encode() in ana.written
    ana.type("/silenciar luis 10\n")
    ana.see("/devolver luis lo levanta.")
    luis.type("hola")
    luis.see_words("Not sent: an operator has silenced you for 9 min")
    ana.type("/expulsar luis diez líneas por segundo\n")
    ana.see("luis salió: ana cerró su sesión: diez líneas por segundo")
    luis.see_words("You were removed from the chat by ana: diez líneas por segundo.")
    assert luis.process.wait(20) == 5
