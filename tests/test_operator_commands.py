"""What an operator can type, in both languages, and what is wrong with the rest.

Most lines are in tests/vectors/operator.json, for the page too; here are some more.
"""

import pytest

from tertulia.i18n import set_language
from tertulia.operator_commands import (
    OPERATOR_COMMANDS,
    BadCommand,
    ShowAttendance,
    find_operator_command,
    operator_help_rows,
    parse_operator_command,
)
from tertulia.protocol.hooks import CreateHook
from tertulia.protocol.moderation import (
    ImposeBan,
    ImposeMute,
    Kick,
    PinMessage,
    ReleaseName,
    SetHush,
)


@pytest.fixture(params=["en", "es"])
def language(request):
    set_language(request.param)
    return request.param


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("/EXPULSAR @luis: dice  diez líneas", Kick(name="luis", reason="dice  diez líneas")),
        ("/ban luis 7D", ImposeBan(name="luis", minutes=10_080)),
        ("/ban luis 10min", ImposeBan(name="luis", minutes=10)),
        ("/ban luis spam 30", ImposeBan(name="luis", reason="spam 30")),
        ("/ban 10.0.0.7 5", ImposeBan(address="10.0.0.7", minutes=5)),
        ("/mute luis 10m", ImposeMute(name="luis", minutes=10)),
        ("/silencio SÍ", SetHush(on=True)),
        ("/asistencia", ShowAttendance(None)),
        ("/attendance my class.CSV", ShowAttendance("my class.CSV")),
        ('/attendance "~/my class.csv"', ShowAttendance("~/my class.csv")),
        ("/aviso-web @build", CreateHook(name="build")),
        ("/pin none", PinMessage()),
        ("/liberar @luis", ReleaseName(name="luis")),
    ],
)
def test_a_line_is_a_request(line, request_):
    assert parse_operator_command(line) == request_


@pytest.mark.parametrize(
    "line",
    [
        *("/kick", "/kick @", "/ban", "/ban @", "/ban :", "/unban", "/unban luis eva", "/bans now"),
        *(
            "/mute",
            "/mute luis soon",
            "/mute luis 10 loud",
            "/unmute",
            "/unmute luis now",
            "/release",
            "/release a b",
            *("/hook", "/hook a b", "/hooks all", "/unhook", "/unhook a b", "/attendance x.txt"),
        ),
        *("/ban luis 0", "/ban luis 999999999d", "/mute luis 0m"),
        *("/hush perhaps", "/lock 1", "/pin", "/pin -1", "/pin x", "/pin 1 2", "/pin 9" + "9" * 20),
    ],
)
def test_what_is_wrong_is_said_in_words(line):
    command = find_operator_command(line.split()[0])
    for language, foreign in (("en", command.spanish), ("es", command.english)):
        set_language(language)
        with pytest.raises(BadCommand) as problem:
            parse_operator_command(line)
        assert str(problem.value)
        assert foreign not in str(problem.value)


@pytest.mark.parametrize("line", ["", "/", "/users", "hola", "kick luis", "/kickluis"])
def test_other_lines_are_no_commands_of_operators(line):
    assert parse_operator_command(line) is None


def test_the_help_shows_every_command_in_both_languages(language):
    rows = operator_help_rows(OPERATOR_COMMANDS)
    assert len(rows) == len(OPERATOR_COMMANDS)
    for command, (left, right) in zip(OPERATOR_COMMANDS, rows, strict=True):
        words = [command.english, command.spanish]
        assert left.startswith(", ".join(words if language == "en" else reversed(words)))
        assert right
