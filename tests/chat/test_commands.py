"""A typed line becomes a request, or words that say what to do."""

import pytest

from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.command_table import COMMANDS
from tertulia.chat.commands import help_rows, parse
from tertulia.chat.completion import complete
from tertulia.chat.face_commands import (
    Help,
    Notify,
    Open,
    SendAgain,
    SetLanguage,
    SetNotify,
    SetTheme,
    ShowText,
    Theme,
)
from tertulia.i18n import set_language
from tertulia.protocol.messages import (
    Direct,
    GetHistory,
    GetInfo,
    ListUsers,
    Quit,
    Say,
    Search,
    SetStatus,
)

NAMES = ["luis", "Lucía", "José", "zoe"]


@pytest.mark.parametrize("lang", ["es"])
@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hola a todos", Say(text="hola a todos")),
        ("  indented code", Say(text="  indented code")),
        ("  /QUIT  ", Quit()),
        ("/usuarios", ListUsers()),
        ("/info luis", GetInfo(name="luis")),
        ("/estado OCUPADO", SetStatus(status="OCUPADO")),
        ("/status busy", SetStatus(status="OCUPADO")),
        ("/status away", SetStatus(status="INACTIVO")),
        ("/status inactivo", SetStatus(status="INACTIVO")),
        ("/status Active", SetStatus(status="ACTIVO")),
        ("/historial", GetHistory(limit=20)),
        ("/history 5", GetHistory(limit=5)),
        ("/HISTORIAL 200", GetHistory(limit=200)),
        ("/buscar pan  y vino", Search(text="pan  y vino")),
        ("/ayuda", Help()),
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
    ["/msg", "/msg luis", "@", "@ hola", "@luis", "@: hola", "/info", "/info a b",
     "/status", "/status asleep", "/history 0", "/history 201", "/history -1", "/history ٥",
     "/search", "/quit smoking is hard", "/", "/nonsense"],
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
        ("en", "/xyzzy", "/help shows all commands."),
        ("es", "/xyzzy", "/ayuda muestra todos los comandos."),
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
        # A name in another spelling.
        ("ＬＵ", 0, ["luis: ", "Lucía: "]),
        ("luci\u0301", 0, ["Lucía: "]),
        # Signs before the name.
        ("hello @lu", 6, ["@luis ", "@Lucía "]),
        ("hello @", 6, ["@luis ", "@Lucía ", "@José ", "@zoe "]),
        ("hello ＠jo", 6, ["@José "]),
        ("¿lu", 1, ["luis ", "Lucía "]),
        ("hello, ¡zo", 8, ["zoe "]),
        ("(lu", 1, ["luis", "Lucía"]),
        ("hello (@lu", 7, ["@luis", "@Lucía"]),
        ('"jo', 1, ["José"]),
        ("«jo", 1, ["José"]),
        ("luis,jo", 5, ["José "]),
        ("...jo", 3, ["José "]),
        ("/msg @lu", 5, ["@luis ", "@Lucía "]),
        ("/info @jo", 6, ["@José "]),
        ("/info\t@", 6, ["@luis ", "@Lucía ", "@José ", "@zoe "]),
        ("a-lu", 0, []),
        ("a@lu", 0, []),
    ],
)
def test_completion_offers_what_can_stand_there(
    before: str, start: int, candidates: list[str]
) -> None:
    assert complete(before, NAMES) == (start, candidates)


@pytest.mark.parametrize(
    ("before", "start", "candidates"),
    [
        ("太", 0, ["太郎: "]),
        ("こんにちは太", 5, ["太郎"]),
        ("こんにちは @太", 6, ["@太郎 "]),
        ("こんにちは@太", 5, ["@太郎"]),
        ("नमस्ते हि", 7, ["हिन्दी "]),
        ("@हिन्", 0, ["@हिन्दी "]),
        ("@मी", 0, ["@मीरा "]),
        ("@म", 0, ["@मीरा "]),
        ("สวัสดีมา", 6, ["มานี"]),
        ("@มา", 0, ["@มานี "]),
        ("민", 0, ["민수: "]),
        ("@ΣΙ", 0, ["@Σίσυφος "]),
    ],
)
def test_completion_knows_all_scripts(before: str, start: int, candidates: list[str]) -> None:
    names = ["太郎", "हिन्दी", "मीरा", "มานี", "민수", "Σίσυφος"]
    assert complete(before, names) == (start, candidates)


def test_a_name_may_have_an_at_sign_after_a_command() -> None:
    assert parse("/msg @luis hola") == Direct(to="luis", text="hola")
    assert parse("/msg @luis: hola") == Direct(to="luis", text="hola")
    assert parse("/info @luis") == GetInfo(name="luis")
    with pytest.raises(CommandError, match="NAME TEXT"):
        parse("/msg @ hola")
    with pytest.raises(CommandError, match="Give a name"):
        parse("/info @")


def test_completion_prefers_the_words_of_the_language() -> None:
    set_language("es")
    assert complete("/u", NAMES).candidates == ["/usuarios", "/users", "/unignore "]
    assert complete("/estado ", NAMES).candidates == ["activo", "ocupado", "inactivo"]


@pytest.mark.parametrize("lang", ["es", "en"])
def test_the_help_names_every_command_in_both_languages(lang: str) -> None:
    set_language(lang)
    text = str(help_rows())
    rows = str(help_rows(on_screen=True))
    for spec in COMMANDS:
        assert spec.spanish in rows
        assert spec.english in rows
        assert (spec.english in text) is not spec.on_screen


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/msg luis", Open("luis")),
        ("@luis", Open("luis")),
        ("/reenviar", SendAgain()),
        ("/copiar", ShowText()),
        ("/tema", SetTheme(None)),
        ("/theme light", SetTheme(Theme.LIGHT)),
        ("/tema oscuro", SetTheme(Theme.DARK)),
        ("/tema auto", SetTheme(Theme.AUTO)),
    ],
)
def test_some_commands_are_for_the_full_screen_alone(line: str, command: Command) -> None:
    assert parse(line, on_screen=True) == command
    with pytest.raises(CommandError, match=r"NAME TEXT|full screen"):
        parse(line)


@pytest.mark.parametrize("on_screen", [False, True])
@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/notify off", SetNotify(Notify.OFF, terminal=False)),
        ("/notify mentions", SetNotify(Notify.MENTIONS, terminal=False, only_at=False)),
        ("/notify at", SetNotify(Notify.MENTIONS, terminal=False, only_at=True)),
        ("/notify all", SetNotify(Notify.ALL, terminal=False)),
        ("/notify terminal", SetNotify(terminal=True)),
        ("/avisos arroba", SetNotify(Notify.MENTIONS, terminal=False, only_at=True)),
        ("/avisos todo", SetNotify(Notify.ALL, terminal=False)),
    ],
)
def test_notifications_are_chosen_in_every_face(
    line: str, command: Command, on_screen: bool
) -> None:
    assert parse(line, on_screen=on_screen) == command


@pytest.mark.parametrize("on_screen", [False, True])
def test_the_language_is_switched_in_every_face(on_screen: bool) -> None:
    assert parse("/idioma es", on_screen=on_screen) == SetLanguage("es")
    assert parse("/language EN", on_screen=on_screen) == SetLanguage("en")
    with pytest.raises(CommandError, match=r"es\|en"):
        parse("/idioma francés", on_screen=on_screen)


def test_the_commands_of_the_full_screen_are_completed_there_alone() -> None:
    assert complete("/rese", NAMES).candidates == []
    assert complete("/rese", NAMES, on_screen=True).candidates == ["/resend"]
    assert complete("/notify m", NAMES, on_screen=True).candidates == ["mentions", "menciones"]
