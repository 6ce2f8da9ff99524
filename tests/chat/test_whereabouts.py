"""What is said of the server at which a user is."""

from tertulia.chat.destination import Destination
from tertulia.chat.whereabouts import Whereabouts
from tertulia.client.addresses import parse_addresses
from tertulia.client.errors import CertificateRefused, ConnectFailure, NoConnection
from tertulia.client.nodes import Nodes
from tertulia.i18n import set_language
from tertulia.protocol.messages import UNSET

A, B = parse_addresses("10.0.0.1,10.0.0.2", 5000)
TO = Destination("ana", *A)
NAMED = [str(A), str(B)]


def words(notices) -> list[str]:
    return [notice() for notice in notices]


def test_where_there_is_only_one_server_it_is_not_named() -> None:
    nodes = Nodes([A])
    nodes.enter(A, UNSET)
    where = Whereabouts(TO, nodes)
    assert where.greeting() == where.introduction() == ""
    assert where.note_loss()() == "Reconnecting automatically…"
    assert words(where.note_return()) == ["Reconnected."]


def test_the_greeting_says_at_which_of_several_servers_the_user_is() -> None:
    nodes = Nodes([A])
    nodes.enter(A, NAMED)
    where = Whereabouts(TO, nodes)
    assert where.greeting() == "This chat has several servers. You are at 10.0.0.1:5000."
    set_language("es")
    assert where.greeting() == "Este chat tiene varios servidores. Estás en 10.0.0.1:5000."


def test_a_move_is_said_in_one_line_and_a_return_is_none() -> None:
    nodes = Nodes([A])
    nodes.enter(A, NAMED)
    where = Whereabouts(TO, nodes)
    assert where.note_loss()() == "Trying the other servers of this chat…"
    nodes.enter(B, NAMED[::-1])
    assert where.address == B
    assert words(where.note_return()) == ["Reconnected. You are now at 10.0.0.2:5000."]
    where.note_loss()
    assert words(where.note_return()) == ["Reconnected."]


def test_a_line_says_later_too_where_the_user_was_moved_then() -> None:
    nodes = Nodes([A])
    nodes.enter(A, NAMED)
    where = Whereabouts(TO, nodes)
    where.note_loss()
    nodes.enter(B, NAMED[::-1])
    [notice] = where.note_return()
    where.note_loss()
    nodes.enter(A, NAMED)
    set_language("es")
    assert notice() == "Conectado de nuevo. Ahora estás en 10.0.0.2:5000."


def test_a_first_contact_and_wrong_certificates_are_said_after_each_connection() -> None:
    nodes = Nodes([A, B])
    introductions = ["first contact", ""]
    where = Whereabouts(TO, nodes, lambda: introductions.pop(0))
    nodes.enter(A, NAMED)
    assert where.introduction() == "first contact"
    where.note_loss()
    refusal = CertificateRefused("00" * 32, None, "no TLS")
    refusal.address = A
    nodes.enter(B, NAMED[::-1])
    nodes.passed_over = ((A, refusal), (B, NoConnection(ConnectFailure.REFUSED)))
    assert words(where.note_return())[1:] == [
        "10.0.0.1:5000: does not speak TLS any more; nothing was sent to it."
    ]
