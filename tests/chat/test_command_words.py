"""The words that people bring from other chats, and what becomes of them."""

import pytest

from tertulia.chat.command_arguments import Command, CommandError
from tertulia.chat.command_table import COMMANDS
from tertulia.chat.command_words import find_command
from tertulia.chat.commands import help_rows, parse
from tertulia.chat.completion import complete
from tertulia.chat.face_commands import Help, Open, OwnInfo
from tertulia.i18n import set_language
from tertulia.protocol.messages import Direct, GetInfo, ListUsers, Quit, Search, SetStatus, Status


@pytest.mark.parametrize(
    ("lines", "command"),
    [
        ("/exit /q /bye /salida /adios /adiós /EXIT", Quit()),
        ("/who /list /names /quien /quién /lista /nombres", ListUsers()),
        ("/ocupado /ocupada /busy /Ocupada", SetStatus(status=Status.OCUPADO)),
        ("/activo /activa /active /back", SetStatus(status=Status.ACTIVO)),
        (
            "/ausente /inactivo /inactiva /away /inactive /afk",
            SetStatus(status=Status.INACTIVO),
        ),
        ("/ip /whoami", OwnInfo()),
        ("/h /? /comandos", Help()),
    ],
)
def test_a_word_of_another_chat_does_what_it_says(lines: str, command: Command) -> None:
    for line in lines.split():
        assert parse(line) == command


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("/who /whois /ip /quien", GetInfo(name="luis")),
        ("/dm /tell /w /pm /privado", Open("luis")),
        ("/find", Search(text="luis")),
    ],
)
def test_a_name_can_follow(words: str, command: Command) -> None:
    for word in words.split():
        assert parse(f"{word} luis", on_screen=True) == command


def test_a_text_for_one_person_follows_a_name() -> None:
    for word in ("/dm", "/tell", "/w", "/privado"):
        assert parse(f"{word} luis hola") == Direct(to="luis", text="hola")
        with pytest.raises(CommandError, match="NAME TEXT"):
            parse(f"{word} luis")


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize(
    ("words", "explains"),
    [
        ("/nick /apodo /nombre", ("/quit", "/salir", "tertulia ")),
        ("/clear /limpiar /borrar", ("Ctrl+L",)),
        ("/me", ()),
    ],
)
def test_what_this_chat_does_not_have_is_explained(
    lang: str, words: str, explains: tuple[str, ...]
) -> None:
    set_language(lang)
    for word in words.split():
        with pytest.raises(CommandError, match=r".") as error:
            parse(word)
        assert any(part in str(error.value) for part in explains or ("texto", "text"))


def test_the_new_name_stands_in_the_command_that_uses_it() -> None:
    with pytest.raises(CommandError, match="tertulia lupe SERVER-IP PORT"):
        parse("/nick lupe")


def test_the_words_of_the_table_come_first() -> None:
    for spec in COMMANDS:
        assert find_command(spec.spanish) is find_command(spec.english) is spec


@pytest.mark.parametrize("word", ["/exit", "/whois", "/nick", "/ocupada", "/dm"])
def test_other_words_stand_in_no_help_and_are_not_offered(word: str) -> None:
    assert word not in str(help_rows(on_screen=True))
    assert complete(word, ["luis"]).candidates == []
