"""Who gets the line that is being typed: the same that gets it after Enter."""

import pytest

from tertulia.chat.state import State
from tertulia.i18n import set_language
from tertulia.protocol.messages import Gap, Status, User, UserList, Welcome
from tertulia.tui.model.conversations import Conversations
from tertulia.tui.model.target import Reach, Target, target_of

EVERYONE = Target(Reach.EVERYONE, "To everyone")


def one(name: str) -> Target:
    return Target(Reach.ONE, f"Only to {name}")


def nobody(words: str) -> Target:
    return Target(Reach.NOBODY, words)


def state_with(*names: str) -> State:
    state = State(
        Welcome(
            id=1, name="ana", address="127.0.0.1", status=Status.ACTIVO, seq=1, token="t",
            epoch="e", server="test", protocol=1, idle_after=120.0, max_text=16384,
        )
    )  # fmt: skip
    users = [User(name=name, status=Status.ACTIVO) for name in ("ana", *names)]
    state.apply(UserList(id=2, seq=1, users=users))
    return state


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("", EVERYONE),
        ("hello", EVERYONE),
        ("//shrug", EVERYONE),
        ("@@home", EVERYONE),
        ("/all hello", EVERYONE),
        ("@luis hello", one("luis")),
        ("@LUIS: hello", one("luis")),
        ("/msg luis hello", one("luis")),
        ("@luis", one("luis")),
        ("@lu", one("lu")),  # the name is not complete yet
        ("@carls hello", nobody("Nobody called “carls” is here: Enter sends nothing")),
        ("/msg carls hello", nobody("Nobody called “carls” is here: Enter sends nothing")),
        ("@", nobody("Give a name and a text: @NAME TEXT")),
        ("/all", nobody("/all TEXT: send a text to everyone, from any conversation")),
        ("/search", nobody("/search WORDS: search for messages that contain these words")),
        ("/buscar pan", nobody("/search WORDS: search for messages that contain these words")),
        ("/quit smoking", nobody("/quit: leave the chat")),
        ("/sea", nobody("A command: nobody gets this line")),
        ("/users", nobody("/users: show who is here")),
        ("/who", nobody("A command: nobody gets this line")),
        ("/away", nobody("A command: nobody gets this line")),
        ("/me waves", nobody("There is no such command here. Type the text alone to send it.")),
    ],
)
def test_from_the_general_chat(line: str, target: Target) -> None:
    assert target_of(line, state_with("luis", "carlos"), Conversations("ana")) == target


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("", one("luis")),
        ("hello", one("luis")),
        ("//shrug", one("luis")),
        ("/todos hello", EVERYONE),
        ("@eva hello", one("eva")),
        ("/estado", nobody("/status STATUS: change your status: active, busy or away")),
    ],
)
def test_from_the_conversation_with_one_person(line: str, target: Target) -> None:
    conversations = Conversations("ana")
    conversations.open("luis")
    assert target_of(line, state_with("luis", "eva"), conversations) == target


def test_a_conversation_goes_on_although_the_other_has_left() -> None:
    conversations = Conversations("ana")
    conversations.open("luis")
    assert target_of("hello", state_with(), conversations) == one("luis")
    conversations.open("")
    assert target_of("@luis hello", state_with(), conversations) == one("luis")


def test_before_there_is_a_connection_names_are_not_known_to_be_wrong() -> None:
    assert target_of("hello", None, None) == EVERYONE
    assert target_of("@carls hello", None, None) == one("carls")


def test_the_words_are_in_the_language_of_now() -> None:
    set_language("es")
    conversations = Conversations("ana")
    assert target_of("", state_with(), conversations).words == "Para todos"
    assert target_of("@luis hola", state_with("luis"), conversations).words == "Solo para luis"


def test_while_the_list_of_people_is_missing_any_name_may_be_here() -> None:
    state = state_with("luis")
    state.apply(Gap(after=1, through=2))
    talks = Conversations("ana")
    assert target_of("@eva hello", state, talks) == one("eva")
    state.apply(UserList(id=3, seq=2, users=[]))
    assert target_of("@eva hello", state, talks).reach is Reach.NOBODY
