"""The console: what a typed line asks for, what is shown, and how it ends. No server and no user.

The typed lines come from a pipe, and a thread answers in the place of the server.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from tertulia.protocol.attendance import AttendancePage, AttendanceRow, ListAttendance
from tertulia.protocol.hooks import CreateHook, HookCreated, HookList
from tertulia.protocol.lines import LineBuffer, decode_request, encode
from tertulia.protocol.messages import (
    Closing,
    Error,
    GetHistory,
    GetInfo,
    HistoryPage,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Request,
    ServerMessage,
    Status,
    StoredMessage,
    User,
    UserInfo,
    UserList,
)
from tertulia.protocol.moderation import BanList, ImposeBan, Kick
from tertulia.server.console import program
from tertulia.server.console.program import Console, ServerGone, run_console

WAIT_S = 20.0
NOON = "2026-11-22T12:00:00.000Z"
ANA = User(name="ana", status=Status.ACTIVO, operator=True)
EVA = User(name="eva", status=Status.OCUPADO, muted=True)

Answers = Callable[[Request], Sequence[ServerMessage] | None]


class Done(NamedTuple):
    asked: list[Request]  # without their numbers
    is_all_done: bool
    out: str
    err: str
    end: str  # what the console has told of the server's end, if that was the reason of its own


def ok(request: Request) -> list[ServerMessage]:
    return [Ok()]


def answering(*answers: ServerMessage) -> Answers:
    """Answer each request by the next one of these."""
    rest = iter(answers)
    return lambda request: [next(rest)]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that has a console carry out what is typed."""
    monkeypatch.setenv("TZ", "UTC")

    def carry_out(typed: str, answers: Answers = ok, *, is_terminal: bool = False) -> Done:
        asked: list[Request] = []
        end = ""
        reading, writing = os.pipe()
        os.write(writing, typed.encode())
        os.close(writing)
        near, far = socket.socketpair()
        serving = threading.Thread(target=serve, args=(far, answers, asked))
        serving.start()
        with open(reading) as stdin, near:
            monkeypatch.setattr(program.sys, "stdin", stdin)
            console = Console(near, 5_000, is_terminal=is_terminal)
            try:
                console.run()
            except ServerGone as gone:
                end = str(gone)
        serving.join(WAIT_S)
        far.close()
        return Done(asked, console.is_all_done, *capsys.readouterr(), end)

    return carry_out


def serve(far: socket.socket, answers: Answers, asked: list[Request]) -> None:
    """Answer each request but pongs; end the connection where there is no answer."""
    buffer = LineBuffer(65_536)
    with contextlib.suppress(ConnectionError):  # the console may end while it is answered
        while data := far.recv(65_536):
            buffer.feed(data)
            while (line := buffer.next_line()) is not None:
                request = decode_request(line)
                asked.append(request if isinstance(request, Pong) else replace(request, id=UNSET))
                if isinstance(request, Pong):
                    continue
                found = answers(request)
                if found is None:
                    far.shutdown(socket.SHUT_RDWR)
                    return
                for answer in found:
                    has_number = isinstance(answer, Ping | Closing) or answer.id is not UNSET
                    far.sendall(encode(answer if has_number else replace(answer, id=request.id)))


# --- what is typed -------------------------------------------------------------------------------


def test_commands_need_no_slash_and_comments_and_blanks_are_skipped(typing):
    done = typing("# Monday\n\n  kick luis \n/USERS\n", answering(Ok(), UserList(seq=1, users=[])))
    assert done.asked == [Kick(name="luis"), ListUsers()]
    assert done.out == "luis is no longer in the chat.\nNobody is here.\n"
    assert (done.is_all_done, done.err) == (True, "")


def test_the_last_line_needs_no_newline_and_after_quit_nothing_is_done(typing):
    assert typing("kick luis").asked == [Kick(name="luis")]
    assert typing("quit\nkick luis\n").asked == []


def test_the_help_has_every_command_and_the_console_goes_on(typing):
    done = typing("ayuda\nkick luis\n")
    for word in ("/help, /ayuda", "/history, /historial [NUMBER]", "/ban, /vetar", "/quit, /salir"):
        assert word in done.out
    assert done.asked == [Kick(name="luis")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kik luis", "There is no command /kik. Did you mean /kick?"),
        ("salri", "There is no command /salri. Did you mean /quit?"),
        ("xyzzy\x1b", "There is no command /xyzzy␛. /help shows all commands."),
        ("users all", "/users takes nothing after it."),
        ("quit now", "/quit takes nothing after it."),
        ("info ana eva", "/info ana takes nothing after it."),
        ("history 0", "Give a number of messages from 1 to 200, for example: /history 50"),
        ("history 201", "Give a number of messages from 1 to 200"),
        ("history many", "Give a number of messages from 1 to 200"),
        ("hush perhaps", "/hush"),
    ],
)
def test_what_is_wrong_is_told_and_shows_in_the_exit_status_of_a_pipe(typing, line, words):
    done = typing(f"{line}\nkick luis\n")
    assert done.err.startswith("tertulia-server: ")
    assert words in done.err
    assert (done.is_all_done, done.asked) == (False, [Kick(name="luis")])


def test_on_a_terminal_what_is_wrong_is_told_there_and_is_no_failure(typing):
    done = typing("kik luis\n", is_terminal=True)
    assert done.out.startswith("You keep order, and nobody sees you here.")
    assert "> There is no command /kik." in done.out
    assert (done.is_all_done, done.err) == (True, "")


def test_history_has_a_usual_number(typing):
    pages = answering(*[HistoryPage(messages=[], more=False)] * 2)
    done = typing("history\nhistory 200\n", pages)
    assert done.asked == [GetHistory(limit=20), GetHistory(limit=200)]
    assert done.out == "There are no messages.\n" * 2


# --- a ban of several people ---------------------------------------------------------------------

BAN = ImposeBan(address="10.0.0.0/28")
CHECK = replace(BAN, check=True)
TWO = UserList(seq=1, users=[ANA, EVA])


def test_a_pipe_names_whom_a_ban_ends_and_bans_them(typing):
    done = typing("ban 10.0.0.0/28\n", answering(TWO, Ok()))
    assert done.asked == [CHECK, BAN]
    assert done.out.startswith("This ends the sessions of 2 people: ana, eva\n10.0.0.0/28 may not")


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("y\n", [CHECK, BAN]), ("YES\n", [CHECK, BAN]), ("n\n", [CHECK]), ("", [CHECK])],
)
def test_a_terminal_asks_before_it_bans_several(typing, typed, asked):
    done = typing(f"ban 10.0.0.0/28\n{typed}", answering(TWO, Ok()), is_terminal=True)
    assert done.asked == asked
    assert "Go on? [y/N] " in done.out
    assert done.is_all_done


def test_a_terminal_does_not_ask_about_one_person_or_none(typing):
    for users in ([EVA], []):
        done = typing(
            "ban 10.0.0.0/28\n", answering(UserList(seq=1, users=users), Ok()), is_terminal=True
        )
        assert done.asked == [CHECK, BAN]
        assert "Go on?" not in done.out
        assert ("session of 1 person: eva" in done.out) is bool(users)


def test_a_ban_that_is_refused_when_it_is_checked_is_not_tried(typing):
    done = typing("ban 10.0.0.300/x\n", answering(Error(code="address_invalid", message="no")))
    assert done.asked == [ImposeBan(address="10.0.0.300/x", check=True)]
    assert "That is not an address" in done.err
    assert not done.is_all_done


def test_a_ban_of_a_name_is_not_checked_before(typing):
    assert typing("ban luis\n").asked == [ImposeBan(name="luis")]


# --- answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "request_", "answer", "shown"),
    [
        ("users", ListUsers(), TWO, "ana  ACTIVO  operator\neva  OCUPADO  may not speak\n"),
        (
            "info ana",
            GetInfo(name="ana"),
            UserInfo(name="ana", address="10.0.0.1", status=Status.ACTIVO, since=NOON, idle=3),
            "ana: 10.0.0.1, ACTIVO, here since 2026-11-22 12:00\n",
        ),
        (
            "history 1",
            GetHistory(limit=1),
            HistoryPage(
                messages=[StoredMessage(seq=7, time=NOON, sender="ana", text="a\x1bb")], more=False
            ),
            "7  2026-11-22 12:00  ana: a␛b\n",
        ),
        ("bans", None, BanList(bans=[]), "Nobody is banned.\n"),
        ("hooks", None, HookList(hooks=[]), "There are no secret addresses for programs.\n"),
        (
            "hook ci",
            CreateHook(name="ci"),
            HookCreated(name="ci", secret="s", path="/hooks/s"),
            'curl -d "TEXT" http://SERVER-IP:5000/hooks/s\n',
        ),
        ("hush on", None, Ok(), "Only operators may speak in the general chat now.\n"),
    ],
)
def test_each_answer_is_shown(typing, line, request_, answer, shown):
    done = typing(f"{line}\n", answering(answer))
    assert request_ is None or done.asked == [request_]
    assert shown in done.out
    assert done.is_all_done


def test_only_the_answer_with_the_number_of_the_request_counts(typing):
    def answers(request: Request) -> list[ServerMessage]:
        return [Ok(id=99), UserList(seq=1, users=[EVA])]

    assert typing("users\n", answers).out == "eva  OCUPADO  may not speak\n"


def test_what_the_terminal_cannot_show_is_a_question_mark(typing, monkeypatch):
    eva = User(name="éva", status=Status.ACTIVO)
    users = answering(UserList(seq=1, users=[eva]))
    monkeypatch.setattr(type(program.sys.stdout), "encoding", "ascii", raising=False)
    assert typing("users\n", users).out == "?va  ACTIVO\n"


# --- the attendance ------------------------------------------------------------------------------

HERE = AttendanceRow(name="ana", address="10.0.0.1", joined=NOON)


def test_the_attendance_is_shown_page_by_page(typing):
    pages = [
        AttendancePage(sessions=[HERE], more=True),
        AttendancePage(sessions=[HERE], more=False),
    ]
    done = typing("attendance\n", answering(*pages))
    assert done.asked == [ListAttendance(), ListAttendance(since=NOON)]
    assert done.out == "ana  10.0.0.1  since 2026-11-22 12:00, still here\n" * 2
    nobody = typing("attendance\n", answering(AttendancePage(sessions=[], more=False)))
    assert nobody.out == "Nobody has been here.\n"


def test_the_attendance_is_written_to_a_new_file(typing, tmp_path):
    file = tmp_path / "today.csv"
    done = typing(f"attendance {file}\n", answering(AttendancePage(sessions=[HERE], more=False)))
    assert done.out == f"The attendance is in {file}.\n"
    assert file.read_text(encoding="utf-8-sig").splitlines()[1].startswith("ana,10.0.0.1,")
    again = typing(f"attendance {file}\n", answering(AttendancePage(sessions=[HERE], more=False)))
    assert str(file) in again.err
    assert not again.is_all_done


def test_of_a_refused_attendance_no_file_is_left(typing, tmp_path):
    file = tmp_path / "today.csv"
    error = Error(code="history_off", message="")
    done = typing(f"attendance {file}\n", answering(error))
    assert "This server keeps no history" in done.err
    assert list(tmp_path.iterdir()) == []


# --- the server's end ----------------------------------------------------------------------------


def test_a_ping_is_answered_while_an_answer_is_waited_for(typing):
    done = typing("kick luis\n", lambda request: [Ping(id=4), Ok()])
    assert Pong(id=4) in done.asked
    assert done.end == ""


@pytest.mark.parametrize(
    "answers", [[Closing(reason="shutdown")], None], ids=["it says so", "it says nothing"]
)
def test_a_server_that_stops_ends_the_console(typing, answers):
    done = typing("kick luis\nkick eva\n", lambda request: answers)
    assert (done.asked, done.end) == ([Kick(name="luis")], "the server has stopped")


def test_a_server_that_does_not_answer_is_left(typing, monkeypatch):
    monkeypatch.setattr(program, "_ANSWER_TIMEOUT_S", 0.0)
    assert typing("kick luis\n", lambda request: []).end == "the server does not answer"


def test_a_console_too_many_is_told_why(monkeypatch, capsys):
    near, far = socket.socketpair()
    with near, far, open(os.devnull) as nothing:
        far.sendall(encode(Error(code="busy", message="too many\nconsoles")))
        far.shutdown(socket.SHUT_WR)
        monkeypatch.setattr(program.sys, "stdin", nothing)
        with pytest.raises(ServerGone, match="too many␊consoles"):
            Console(near, 5_000, is_terminal=False)._ask(ListUsers())


def test_without_a_server_or_a_home_the_command_fails_and_says_so(
    tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert run_console(5_000) == 1
    assert "no server of this user runs on port 5000" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setattr(program, "state_directory", lambda: None)
    assert run_console(5_000) == 1
    assert "there is no home directory" in capsys.readouterr().err
