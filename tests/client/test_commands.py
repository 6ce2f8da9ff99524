"""A typed line becomes a request, or words that say what to do."""

import pytest

from tertulia.client.commands import (
    COMMANDS,
    Command,
    CommandError,
    Help,
    complete,
    help_lines,
    hints,
    how_to_leave,
    parse,
)
from tertulia.i18n import set_language
from tertulia.protocol.messages import (
    Direct,
    History,
    Info,
    Quit,
    Say,
    Search,
    SetStatus,
    Users,
)

NAMES = ["luis", "Lucía", "José", "zoe"]


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hola a todos", Say(text="hola a todos")),
        ("  indented code", Say(text="  indented code")),
        ("/salir", Quit()),
        ("/quit", Quit()),
        ("  /QUIT  ", Quit()),
        ("/usuarios", Users()),
        ("/users", Users()),
        ("/info luis", Info(name="luis")),
        ("/estado ocupado", SetStatus(status="OCUPADO")),
        ("/estado OCUPADO", SetStatus(status="OCUPADO")),
        ("/status busy", SetStatus(status="OCUPADO")),
        ("/status away", SetStatus(status="INACTIVO")),
        ("/status inactivo", SetStatus(status="INACTIVO")),
        ("/status Active", SetStatus(status="ACTIVO")),
        ("/historial", History(limit=20)),
        ("/history 5", History(limit=5)),
        ("/HISTORIAL 200", History(limit=200)),
        ("/buscar pan  y vino", Search(text="pan  y vino")),
        ("/search bread", Search(text="bread")),
        ("/ayuda", Help()),
        ("/help", Help()),
        ("/msg luis hola  qué tal", Direct(to="luis", text="hola  qué tal")),
        ("/msg\tluis\thola", Direct(to="luis", text="hola")),
        ("@luis hola", Direct(to="luis", text="hola")),
        ("  @luis hola", Direct(to="luis", text="hola")),
        ("@luis: hola", Direct(to="luis", text="hola")),
        ("@luis, hola", Direct(to="luis", text="hola")),
        ("@luis /quit", Direct(to="luis", text="/quit")),
        ("//quit", Say(text="/quit")),
        ("@@luis knows", Say(text="@luis knows")),
        ("a@b.org", Say(text="a@b.org")),
        ("", None),
        (" \t ", None),
    ],
)
def test_a_line_is_understood_in_both_languages(
    lang: str, line: str, command: Command | None
) -> None:
    set_language(lang)
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    ["/msg", "/msg luis", "@", "@ hola", "@luis", "@luis ", "@: hola", "/info", "/info a b",
     "/status", "/status asleep", "/history 0", "/history 201", "/history -1", "/history ٥",
     "/history 5 6", "/search", "/buscar  ", "/quit smoking is hard", "/users x", "/", "/nonsense"],
)  # fmt: skip
def test_a_wrong_line_is_never_said_aloud_but_explained(line: str) -> None:
    with pytest.raises(CommandError) as error:
        parse(line)
    assert len(str(error.value)) > 10


def test_a_number_of_any_length_is_only_wrong() -> None:
    with pytest.raises(CommandError):
        parse("/history " + "9" * 5_000)


@pytest.mark.parametrize(
    ("lang", "wrong", "words"),
    [
        ("es", "/usarios", "¿Quisiste decir /usuarios?"),
        ("es", "/hlep", "¿Quisiste decir /ayuda?"),
        ("en", "/slair", "Did you mean /quit?"),
        ("en", "/xyzzy", "/help shows all."),
        ("es", "/xyzzy", "/ayuda los muestra todos."),
    ],
)
def test_a_wrong_command_gets_the_nearest_one(lang: str, wrong: str, words: str) -> None:
    set_language(lang)
    with pytest.raises(CommandError, match=r".") as error:
        parse(wrong)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("before", "start", "candidates"),
    [
        ("/us", 0, ["/users", "/usuarios"]),
        ("/inf", 0, ["/info "]),
        ("  /qu", 2, ["/quit"]),
        ("@lu", 0, ["@luis ", "@Lucía "]),
        ("@", 0, ["@luis ", "@Lucía ", "@José ", "@zoe "]),
        ("lu", 0, ["luis: ", "Lucía: "]),
        ("jose", 0, ["José: "]),
        ("ask jo", 4, ["José "]),
        ("/info z", 6, ["zoe "]),
        ("/msg ", 5, ["luis ", "Lucía ", "José ", "zoe "]),
        ("/msg zoe ask lu", 13, ["luis ", "Lucía "]),
        ("/status ", 8, ["active", "busy", "away"]),
        ("/status o", 8, ["ocupado"]),
        ("/estado act", 8, ["active", "activo"]),
        ("", 0, []),
        ("hello ", 6, []),
        ("xyz", 0, []),
    ],
)
def test_completion_offers_what_can_stand_there(
    before: str, start: int, candidates: list[str]
) -> None:
    assert complete(before, NAMES) == (start, candidates)


def test_completion_prefers_the_words_of_the_language() -> None:
    set_language("es")
    assert complete("/u", NAMES).candidates == ["/usuarios", "/users"]
    assert complete("/estado ", NAMES).candidates == ["activo", "ocupado", "inactivo"]


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_help_names_every_command_in_both_languages(lang: str) -> None:
    set_language(lang)
    text = "\n".join(help_lines())
    for spec in COMMANDS:
        assert spec.spanish in text
        assert spec.english in text
    assert max(len(line) for line in help_lines()) < 80


def test_hints_are_in_the_users_language() -> None:
    assert "/quit" in how_to_leave()
    assert "/help" in hints()[-1]
    set_language("es")
    assert "/salir" in how_to_leave()
    assert "/ayuda" in hints()[-1]
