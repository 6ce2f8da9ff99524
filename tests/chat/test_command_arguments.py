"""The arguments of the commands: what each command accepts, and what it says about the rest.

More lines are in tests/vectors/commands.json, for the page too.
"""

import pytest

from tertulia.chat.command_arguments import (
    Command,
    CommandError,
    Parser,
    parse_bare,
    parse_choice,
    parse_close,
    parse_direct,
    parse_history,
    parse_ignore,
    parse_info,
    parse_search,
    parse_secret,
    parse_seen,
    parse_status,
    parse_to_all,
    parse_unignore,
    status_words,
)
from tertulia.chat.face_commands import (
    AskForSecret,
    Close,
    Ignore,
    Open,
    SayToAll,
    ShowSeen,
    Unignore,
)
from tertulia.i18n import set_language
from tertulia.protocol.messages import (
    Direct,
    GetHistory,
    GetInfo,
    Quit,
    Search,
    SetStatus,
    Status,
)
from tertulia.protocol.moderation import BecomeOperator


def refusal(parse: Parser, arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        parse("/word", arguments)
    return str(error.value)


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ("luis hola", Direct(to="luis", text="hola")),
        ("luis   two  spaces", Direct(to="luis", text="two  spaces")),
        ("@luis hola", Direct(to="luis", text="hola")),
        ("@luis:, hola", Direct(to="luis", text="hola")),
        ("luis", Open("luis")),
        ("@luis:", Open("luis")),
    ],
)
def test_a_direct_message_has_a_name_and_a_text_and_a_name_alone_opens_the_conversation(
    arguments: str, command: Command
) -> None:
    assert parse_direct("/msg", arguments) == command


@pytest.mark.parametrize("arguments", ["", "@", "@ hola", ": hola", " luis hola"])
def test_a_direct_message_without_a_name_is_refused(arguments: str) -> None:
    assert refusal(parse_direct, arguments) == "Give a name and a text: @NAME TEXT"


def test_a_text_for_everyone_may_not_be_empty() -> None:
    assert parse_to_all("/all", "@luis hola") == SayToAll("@luis hola")
    assert refusal(parse_to_all, "") == "Give a text: /word TEXT"


def test_the_person_is_asked_for_a_secret_that_was_not_typed() -> None:
    assert parse_secret("/operator", "open sesame") == BecomeOperator(secret="open sesame")
    assert parse_secret("/operator", "") == AskForSecret()


def test_a_name_may_have_an_at_sign() -> None:
    assert parse_info("/info", "@luis") == GetInfo(name="luis")
    assert parse_unignore("/unignore", "@luis") == Unignore("luis")
    assert parse_ignore("/ignore", "@luis") == Ignore("luis")
    assert parse_close("/close", "@luis") == Close("luis")


@pytest.mark.parametrize("parse", [parse_info, parse_ignore, parse_unignore])
@pytest.mark.parametrize("arguments", ["@", "luis eva"])
def test_anything_but_one_name_is_refused(parse: Parser, arguments: str) -> None:
    assert refusal(parse, arguments) == "Give a name: /word NAME"


@pytest.mark.parametrize("parse", [parse_info, parse_unignore])
def test_some_commands_need_a_name(parse: Parser) -> None:
    assert refusal(parse, "") == "Give a name: /word NAME"


def test_without_a_name_the_ignored_are_listed_and_the_open_conversation_is_closed() -> None:
    assert parse_ignore("/ignore", "") == Ignore(None)
    assert parse_close("/close", "") == Close(None)
    assert parse_close("/close", "@") == Close(None)
    assert refusal(parse_close, "luis eva") == "Give one name, or none: /word NAME"


@pytest.mark.parametrize(("arguments", "limit"), [("", 20), ("1", 1), ("200", 200), ("007", 7)])
def test_a_number_of_older_messages_can_be_chosen(arguments: str, limit: int) -> None:
    assert parse_history("/history", arguments) == GetHistory(limit=limit)


@pytest.mark.parametrize(
    "arguments", ["0", "201", "-1", "ten", "1 2", "٣", pytest.param("9" * 5_000, id="5,000 digits")]
)
def test_any_other_number_of_older_messages_is_refused(arguments: str) -> None:
    assert refusal(parse_history, arguments) == (
        "Give a number of messages from 1 to 200, for example: /word 50"
    )


def test_a_search_needs_words() -> None:
    assert parse_search("/search", "bread and  wine") == Search(text="bread and  wine")
    assert refusal(parse_search, "") == "Give the words to search for: /word WORDS"


@pytest.mark.parametrize(
    ("arguments", "seq"), [("", None), ("1042", 1_042), ("9" * 15, 10**15 - 1)]
)
def test_a_message_is_named_by_its_number(arguments: str, seq: int | None) -> None:
    assert parse_seen("/seen", arguments) == ShowSeen(seq)


@pytest.mark.parametrize("arguments", ["luis", "-1", "1 2", "9" * 16])
def test_what_is_not_the_number_of_a_message_is_refused(arguments: str) -> None:
    assert refusal(parse_seen, arguments) == (
        "After /word, give nothing or the number of a message: /word 1042"
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("busy", Status.OCUPADO),
        ("OCUPADA", Status.OCUPADO),
        ("inactiva", Status.INACTIVO),
        ("away", Status.INACTIVO),
        ("activo", Status.ACTIVO),
    ],
)
def test_a_status_has_words_in_both_languages_and_both_genders(
    arguments: str, status: Status
) -> None:
    assert parse_status("/status", arguments) == SetStatus(status=status)


@pytest.mark.parametrize("arguments", ["", "asleep", "ocupadas", "active now"])
def test_an_unknown_status_is_refused_with_the_known_ones(arguments: str) -> None:
    assert refusal(parse_status, arguments) == (
        "Choose a status: /word active, /word busy, /word away"
    )


def test_the_words_for_the_statuses_are_in_the_language_of_the_person() -> None:
    assert status_words() == ("active", "busy", "away")
    set_language("es")
    assert status_words() == ("activo", "ocupado", "inactivo")


def test_a_choice_is_found_in_any_case_and_without_its_accents() -> None:
    parse = parse_choice({"sí": Open("yes"), "no": Open("no")}, "on|off")
    assert parse("/word", "SI") == Open("yes")
    assert parse("/word", "nó") == Open("no")
    for arguments in ("", "yes", "sí no"):
        assert refusal(parse, arguments) == "After that command, type one of these: on|off"
    set_language("es")
    assert refusal(parse, "").endswith(": sí|no")


def test_a_text_after_a_command_without_arguments_was_perhaps_a_message() -> None:
    parse = parse_bare(Quit())
    assert parse("/quit", "") == Quit()
    assert refusal(parse, "smoking is hard") == (
        "That command takes nothing after it. To send a text that begins with “/”, type “//”."
    )
