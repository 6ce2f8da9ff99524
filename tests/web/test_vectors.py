"""The Python originals keep the rules in `tests/vectors`, as the JavaScript of the page does."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, to_builtins

from tertulia.attendance_csv import csv_line
from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.commands import parse
from tertulia.chat.completion import complete
from tertulia.chat.face_commands import (
    Close,
    Help,
    Ignore,
    Open,
    OwnInfo,
    SayToAll,
    SendAgain,
    SetLanguage,
    SetNotify,
    SetTheme,
    ShowSeen,
    ShowStatuses,
)
from tertulia.chat.jobs import Job, Jobs, Origin
from tertulia.chat.similar import similar_name
from tertulia.chat.state import State
from tertulia.client.addresses import parse_address
from tertulia.client.catchup import CatchUp
from tertulia.client.nodes import Nodes
from tertulia.client.reconnect import STEADY_S
from tertulia.i18n import set_language
from tertulia.operator_commands import BadCommand, parse_operator_command
from tertulia.protocol.attendance import AttendanceRow
from tertulia.protocol.messages import (
    Answer,
    ChatMessage,
    Error,
    Gap,
    GetHistory,
    HistoryPage,
    Joined,
    Request,
    ServerMessage,
    Status,
    StoredMessage,
    Welcome,
)
from tertulia.protocol.names import is_reserved, parse_name
from tertulia.protocol.networks import parse_network
from tertulia.protocol.texts import check_text

VECTORS = Path(__file__).parents[1] / "vectors"

Vector = dict[str, Any]


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def titled(name: str) -> Any:
    return pytest.mark.parametrize("vector", vectors(name), ids=lambda vector: vector["title"])


def welcome(seq: int, epoch: str = "e", name: str = "ana", status: str = "ACTIVO") -> Welcome:
    return Welcome(
        name=name, address="127.0.0.1", status=Status(status), seq=seq, token="t", epoch=epoch,
        server="s", protocol=1, idle_after=120, max_text=16384,
    )  # fmt: skip


# --- names and texts ------------------------------------------------------------------------------


def key(raw: str) -> str:
    name = parse_name(raw)
    assert name is not None, raw
    return name.key


def test_names() -> None:
    table = vectors("names")
    for spellings in table["same"]:
        assert len({key(raw) for raw in spellings}) == 1, spellings
    for one, other in table["different"]:
        assert key(one) != key(other)
    for raw, shown in table["shown"]:
        name = parse_name(raw)
        assert name is not None
        assert name.shown == shown
    for raw in table["invalid"]:
        assert parse_name(raw) is None, raw
        assert not is_reserved(raw)
    for raw in table["reserved"]:
        assert parse_name(raw) is None, raw
        assert is_reserved(raw)


def test_texts() -> None:
    for code, texts in vectors("texts").items():
        for text in texts:
            expected = None if code == "valid" else code
            assert check_text(text["text"] * text.get("times", 1)) == expected, text


# --- commands -------------------------------------------------------------------------------------


def as_on_the_page(command: Command | None) -> Vector | None:
    match command:
        case None:
            return None
        case Open(name):
            return {"type": "open", "name": name}
        case SayToAll(text):
            return {"type": "all", "text": text}
        case Help():
            return {"type": "help"}
        case SendAgain():
            return {"type": "resend"}
        case SetLanguage(language):
            return {"type": "language", "choice": language}
        case SetNotify(only_at=True):
            return {"type": "notify", "choice": "at"}
        case SetNotify(notify):
            return {"type": "notify", "choice": str(notify)}
        case ShowStatuses():
            return {"type": "notify", "choice": "statuses"}
        case Close(name):
            return {"type": "close", "name": name or ""}
        case ShowSeen(seq):
            return {"type": "seen", "seq": seq or 0}
        case OwnInfo():
            return {"type": "info", "name": ""}
        case Ignore(name):
            return {"type": "ignore"} | ({"name": name} if name else {})
        case SetTheme(theme):
            return {"type": "theme", "choice": "" if theme is None else str(theme)}
    builtins: Vector = to_builtins(command)
    return builtins


def test_networks() -> None:
    table = vectors("networks")
    for text in table["networks"]:
        assert parse_network(text) is not None, text
    for text in table["no_networks"]:
        assert parse_network(text) is None, text


def test_lines() -> None:
    for line, command in vectors("commands")["lines"]:
        assert as_on_the_page(parse(line, on_screen=True)) == command, line


def test_wrong_lines() -> None:
    set_language("en")
    for line, words in vectors("commands")["wrong"]:
        with pytest.raises(CommandError) as error:
            parse(line, on_screen=True)
        assert str(error.value) == words


def test_similar_names() -> None:
    table = vectors("commands")
    for name, guess in table["similar"]:
        assert similar_name(name, table["names"]) == guess


def test_completions() -> None:
    table = vectors("commands")
    for language, before, start, candidates in table["completions"]:
        set_language(language)
        found = complete(before, table["names"], on_screen=True)
        assert found == (start, candidates), (language, before)


# --- the state ------------------------------------------------------------------------------------


@titled("state")
def test_state(vector: Vector) -> None:
    state = State(welcome(**vector["welcome"]))
    for step in vector["steps"]:
        match step:
            case {"message": message}:
                state.apply(msgspec.convert(message, ServerMessage))
            case {"resume": resumed}:
                state.resume(welcome(**resumed), is_renumbered=False)
            case {"ask": status}:
                state.ask_status(Status(status))
            case {"do": "refuse_users"}:
                state.refuse_users()
            case {"do": done}:
                state.answer_status(granted=done == "grant")
        known = {
            "users": [[user.name, user.status] for user in state.users],
            "needs_users": state.needs_users,
            "status": state.status,
            "asked": state.asked_status,
            "names": state.names(),
        }
        for what in known.keys() & step.keys():
            assert known[what] == step[what], step
        for spelling, name in step.get("registered", {}).items():
            assert state.registered_name(spelling) == name


@titled("order")
def test_order(vector: Vector) -> None:
    state = State(welcome(**vector["welcome"]))
    for step in vector["steps"]:
        match step:
            case {"message": message}:
                state.apply(msgspec.convert(message, ServerMessage))
            case {"resume": resumed}:
                fields = to_builtins(welcome(resumed["seq"])) | resumed
                state.resume(msgspec.convert(fields, Welcome), is_renumbered=False)
            case {"now": now}:
                state.mutes.end_those_until(now)
        known = {
            "operators": [user.name for user in state.users if user.operator],
            "muted": [user.name for user in state.users if user.muted],
            "is_operator": state.is_operator,
            "may_speak": state.may_speak,
            "hushed": state.is_hushed,
            "locked": state.is_locked,
            "pinned": None if state.pinned is None else state.pinned.seq,
        }
        for what in known.keys() & step.keys():
            assert known[what] == step[what], (what, step)


# --- catching up ----------------------------------------------------------------------------------


def said(seq: int, **fields: Any) -> ChatMessage:
    return ChatMessage(seq=seq, time="", sender="luis", text="", **fields)


def page(seqs: list[int], more: bool = False) -> HistoryPage:
    messages = [StoredMessage(seq=seq, time="", sender="luis", text="") for seq in seqs]
    return HistoryPage(messages=messages, more=more)


def take_step(catch_up: CatchUp, step: Vector, kept: list[GetHistory]) -> list[Any] | None:
    """Do what a step says; return what is shown."""
    request = catch_up.request
    match step:
        case {"live": seq}:
            nonce, sender = step.get("nonce", UNSET), step.get("sender", "luis")
            message = ChatMessage(seq=seq, time="", sender=sender, text="", nonce=nonce)
            return list(catch_up.add_live(message))
        case {"joined": seq}:
            return list(catch_up.add_live(Joined(seq=seq, time="", name="a", status=Status.ACTIVO)))
        case {"gap": [after, through]}:
            return list(catch_up.add_live(Gap(after=after, through=through)))
        case {"page": seqs}:
            assert request is not None
            return list(catch_up.add_page(request, page(seqs, step.get("more", False))))
        case {"late_page": seqs}:
            return list(catch_up.add_page(kept[0], page(seqs)))
        case {"refuse": code}:
            assert request is not None
            error = Error(code=code, message="", seq=step.get("last_message", UNSET))
            return list(catch_up.give_up(request, error))
        case {"resume": resumed}:
            assert catch_up.resume(welcome(**resumed)) == step["renumbered"]
        case {"older": seqs}:
            catch_up.add_older_page(page(seqs))
    return None


@titled("catchup")
def test_catching_up(vector: Vector) -> None:
    catch_up = CatchUp(welcome(vector["seq"]), vector["first_page"])
    kept: list[GetHistory] = []
    for step in vector["steps"]:
        shown = take_step(catch_up, step, kept)
        if shown is not None:
            in_short = [
                f"{each.after}-{each.through}" if isinstance(each, Gap) else each.seq
                for each in shown
            ]
            assert in_short == step["shown"], step
        if "request" in step:
            expected = step["request"] and {"type": "history", "limit": 50, **step["request"]}
            request = catch_up.request
            found = None if request is None else {"limit": 50, **to_builtins(request)}
            assert found == expected, step
        if "oldest" in step:
            assert catch_up.oldest_seq == step["oldest"]
        if "keep" in step:
            assert catch_up.request is not None
            kept.append(catch_up.request)


# --- jobs -----------------------------------------------------------------------------------------


def type_of(job: Job | None) -> str | None:
    return None if job is None else to_builtins(job.request)["type"]


@titled("jobs")
def test_jobs(vector: Vector) -> None:
    jobs, ids = Jobs(), {}
    for step in vector["steps"]:
        now = float(step["at"])
        if "add" in step:
            origin = Origin.CATCH_UP if step.get("origin") == "catch-up" else Origin.TYPED
            jobs.add(msgspec.convert(step["add"], Request), origin)
        if "interrupt" in step:
            jobs.interrupt()
        if "set_aside" in step:
            jobs.set_aside(now)
        if "late" in step:
            assert type_of(jobs.give_up_late(now)) == step["late"]
        if "answer" in step:
            answer = msgspec.convert({**step["answer"], "id": ids[step["to"]]}, Answer)
            assert type_of(jobs.finish(answer, now)) == step["finished"], step
        if "send" in step:
            job = jobs.pop_ready(now)
            assert type_of(job) == step["send"], step
            if job is not None:
                ids[step["send"]] = len(ids)
                jobs.start(job, ids[step["send"]], now)
                if "nonce" in step:
                    assert getattr(job.request, "nonce", None) == step["nonce"]
                    assert job.is_repeated == step["repeated"]
        if "wake_at" in step:
            assert jobs.wake_at == pytest.approx(step["wake_at"])


def test_operators_lines() -> None:
    for line, request in vectors("operator")["lines"]:
        assert to_builtins(parse_operator_command(line)) == request, line


def test_operators_wrong_lines() -> None:
    for line in vectors("operator")["wrong"]:
        with pytest.raises(BadCommand):
            parse_operator_command(line)


def test_cells_of_csv() -> None:
    for text, cell in vectors("operator")["csv_cells"]:
        assert csv_line(AttendanceRow(name=text, address="", joined="x")) == f"{cell},,x,,\n", cell


@titled("nodes")
def test_nodes(vector: Any) -> None:
    nodes = Nodes([])
    entered_at = 0

    def try_all() -> list[str]:
        tried = nodes.next_round()
        for address in tried:
            nodes.note_attempt(address)
        return sorted(map(str, tried))

    for step in vector["steps"]:
        match step:
            case {"enter": told}:
                nodes.enter(parse_address(told[0]), told, step.get("per_node", UNSET))
                entered_at = step["at"]
            case {"learn": told}:
                nodes.learn(told, step.get("per_node", UNSET))
            case {"again": tried}:
                assert try_all() == tried
            case {"order": tried}:
                assert nodes.lose_current(was_steady=step["at"] - entered_at >= STEADY_S)
                assert list(map(str, nodes.next_round())) == tried
                try_all()
            case {"lose": tried} | {"lose_to": tried}:
                expected = tried if isinstance(tried, list) else [tried]
                was_steady = step["at"] - entered_at >= STEADY_S
                assert nodes.lose_current(was_steady=was_steady) is bool(expected)
                assert not expected or try_all() == expected
