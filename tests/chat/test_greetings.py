"""What a person reads on entering and on leaving, in the user's language."""

from tertulia.chat.greetings import farewell, greeting, hints, how_to_leave
from tertulia.i18n import set_language
from tertulia.protocol.messages import Status


def test_the_greeting_names_the_user_the_status_and_how_many_are_here() -> None:
    assert greeting("ana", Status.OCUPADO, 1) == (
        "Hello, ana. You are OCUPADO. There is 1 person here."
    )
    assert greeting("ana", Status.ACTIVO, 3).endswith("There are 3 people here.")


def test_hints_are_in_the_users_language() -> None:
    assert "/quit" in how_to_leave()
    assert "/help" in hints()[-1]
    set_language("es")
    assert "/salir" in how_to_leave()
    assert "/ayuda" in hints()[-1]


def test_leaving_sums_up_the_stay() -> None:
    assert farewell(725, 3, 25) == "You were here for 12 min 5 s. Messages: 3 sent, 25 received."
    set_language("es")
    assert farewell(59, 1, 0) == "Estuviste aquí 59 s. Mensajes enviados: 1; recibidos: 0."
