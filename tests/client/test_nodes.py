"""Which node of a chat a client tries next, and what it makes of those that do not let it in."""

import pytest
from plain_table import StubClient

from tertulia.client import nodes as nodes_module
from tertulia.client.addresses import Address, parse_addresses
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    NoConnection,
    NoNode,
    RegistrationRefused,
)
from tertulia.client.nodes import MAX_NODES, SILENT_S, Nodes, connect_to_one, distance
from tertulia.protocol.messages import Error, ErrorCode

A, B, C = parse_addresses("10.0.0.1,10.0.0.2,10.0.0.3", 5000)
NAMED = [str(each) for each in (A, B, C)]
REFUSED = NoConnection(ConnectFailure.REFUSED, "refused")
OTHER_CERTIFICATE = CertificateRefused("pin", None, "another certificate")


def refusal(code: str) -> RegistrationRefused:
    return RegistrationRefused(Error(code=code, message="no"))


@pytest.fixture(autouse=True)
def backwards(monkeypatch):
    """Let the order by chance be backwards."""

    class Chance:
        @staticmethod
        def shuffle(addresses):
            addresses.reverse()

    monkeypatch.setattr(nodes_module, "random", Chance)


class Door:
    """Nodes and what each of them answers; one without an answer lets the user in."""

    def __init__(self, nodes: Nodes, **answers: Exception) -> None:
        self.nodes = nodes
        self.answers = {Address(host, 5000): answer for host, answer in answers.items()}
        self.tried: list[tuple[Address, float | None]] = []

    def connect(self, address: Address, within_s: float | None) -> StubClient:
        self.tried.append((address, within_s))
        if address in self.answers:
            raise self.answers[address]
        return StubClient()

    def enter(self) -> StubClient:
        return connect_to_one(self.nodes, self.connect)

    def refused(self) -> Exception:
        with pytest.raises((NoConnection, CertificateRefused, RegistrationRefused)) as raised:
            self.enter()
        return raised.value

    @property
    def hosts(self) -> str:
        return "".join(address.host for address, _within_s in self.tried)


def door(hosts: str = "abc", **answers: Exception) -> Door:
    return Door(Nodes([Address(host, 5000) for host in hosts]), **answers)


def test_the_first_that_answers_is_taken_in_the_order_given():
    way = door(a=REFUSED)
    way.enter()
    assert way.tried == [(("a", 5000), SILENT_S), (("b", 5000), SILENT_S)]
    assert way.nodes.current == ("b", 5000)


def test_the_last_one_has_the_usual_time():
    way = door(a=REFUSED, b=REFUSED)
    way.enter()
    assert way.tried[-1] == (("c", 5000), None)


@pytest.mark.parametrize(
    "answer",
    [
        REFUSED,
        OTHER_CERTIFICATE,
        OSError(24, "Too many open files"),
        refusal(ErrorCode.SERVER_FULL),
        refusal(ErrorCode.UNAVAILABLE),
        refusal(ErrorCode.REGISTER_TIMEOUT),
        refusal(ErrorCode.TLS_REQUIRED),
    ],
    ids=repr,
)
def test_what_only_one_node_says_sends_the_user_to_the_next(answer):
    way = door("ab", a=answer)
    way.enter()
    assert way.hosts == "ab"


@pytest.mark.parametrize("code", [ErrorCode.NAME_TAKEN, ErrorCode.BANNED, ErrorCode.CODE_WRONG])
def test_what_the_whole_chat_says_is_raised_at_once(code):
    answer = refusal(code)
    way = door(a=answer)
    assert way.refused() is answer
    assert way.hosts == "a"


def test_after_what_the_whole_chat_says_all_nodes_are_tried_from_the_first_again():
    way = door(a=refusal(ErrorCode.CODE_WRONG))
    for _time in range(2):
        way.refused()
    assert way.hosts == "aa"


def test_the_only_server_says_itself_what_is_wrong():
    assert door("a", a=REFUSED).refused() is REFUSED


def test_if_none_answers_all_are_named():
    silent = NoConnection(ConnectFailure.TIMED_OUT, "silent")
    failure = door("ab", a=REFUSED, b=silent).refused()
    assert isinstance(failure, NoNode)
    assert failure.failures == ((("a", 5000), REFUSED), (("b", 5000), silent))
    assert failure.failure is ConnectFailure.OTHER
    assert str(failure) == "other: a:5000: refused: refused; b:5000: timed_out: silent"
    assert door("ab", a=REFUSED, b=REFUSED).refused().failure is ConnectFailure.REFUSED


def test_certificates_are_a_refusal_only_if_no_node_has_the_expected_one():
    assert door("ab", a=OTHER_CERTIFICATE, b=OTHER_CERTIFICATE).refused() is OTHER_CERTIFICATE
    assert isinstance(door("ab", a=OTHER_CERTIFICATE, b=REFUSED).refused(), NoNode)


@pytest.mark.parametrize("hosts", ["ab", "abc"])
def test_certificates_are_no_refusal_while_the_lost_node_was_not_tried_again(hosts):
    way = door(hosts, b=OTHER_CERTIFICATE, c=OTHER_CERTIFICATE)
    way.enter()
    assert way.nodes.lose_current(was_steady=True)
    assert isinstance(way.refused(), NoNode)
    assert way.hosts == hosts


def test_a_certificate_that_is_not_the_expected_one_is_told_with_its_node():
    one, other = (CertificateRefused("pin", None, "another certificate") for _ in range(2))
    assert door("ab", a=one, b=other).refused() is one
    assert (one.address, other.address) == (Address("a", 5000), Address("b", 5000))


def test_a_node_without_room_is_worth_waiting_for():
    full = refusal(ErrorCode.SERVER_FULL)
    assert door(a=REFUSED, b=full, c=OTHER_CERTIFICATE).refused() is full


# --- from a lost node to the next -----------------------------------------------------------------


@pytest.fixture
def nodes() -> Nodes:
    """Three nodes that one of them has named, and a connection to that one."""
    nodes = Nodes([A])
    nodes.enter(A, NAMED)
    return nodes


def test_a_welcome_names_the_others(nodes):
    assert nodes.known == (A, B, C)
    assert nodes.are_several
    assert not Nodes([A]).are_several


def test_after_a_loss_all_others_are_tried_in_an_order_by_chance(nodes):
    assert nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [C, B]


def test_after_a_whole_round_all_are_tried_again(nodes):
    nodes.lose_current(was_steady=True)
    for address in nodes.next_round():
        nodes.note_attempt(address)
    assert nodes.next_round() == [C, B, A]


def test_a_loss_after_a_steady_connection_begins_a_new_round(nodes):
    nodes.lose_current(was_steady=True)
    nodes.note_attempt(B)
    nodes.enter(B, [str(B), str(A), str(C)])
    assert nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [C, A]


def test_nodes_that_let_the_user_in_and_close_are_not_tried_without_end(nodes):
    nodes.lose_current(was_steady=True)
    for address in (B, C):
        nodes.note_attempt(address)
        nodes.enter(address, [str(address), *NAMED])
        more = nodes.lose_current(was_steady=False)
        assert more is (address == B)


def test_the_only_server_has_no_other():
    nodes = Nodes([A])
    nodes.enter(A, [])
    assert not nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [A]


def test_a_node_is_reached_as_before_whatever_it_calls_itself():
    tunnel, name = Address("localhost", 6000), Address("lab2", 5000)
    nodes = Nodes([tunnel, name])
    nodes.enter(tunnel, NAMED)
    assert nodes.known == (tunnel, B, C, name)
    nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [C, B, name]


def test_a_node_may_have_several_addresses():
    nodes = Nodes([B])
    nodes.enter(B, NAMED)  # the first two are of this node
    assert nodes.known == (A, B, C)
    nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [C, A]


def test_addresses_in_the_network_of_the_lost_one_come_first():
    nodes = Nodes([Address("lab1", 5000)])
    told = ["10.0.0.1:5000", "[fd00::1]:5000", "192.168.7.2:5000", "10.0.0.2:5000", "lab2:5000",
            "[fd00::2]:5000", "10.0.0.3:5000"]  # fmt: skip
    nodes.enter(Address("lab1", 5000), told)
    nodes.lose_current(was_steady=True)
    hosts = [address.host for address in nodes.next_round()]
    assert hosts == ["10.0.0.3", "10.0.0.2", "lab2", "192.168.7.2", "fd00::2", "fd00::1"]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ("10.0.0.1", "10.0.0.254", 0),
        ("10.0.0.1", "10.0.1.1", 1),
        ("fd00::1", "fd00::2:1", 0),
        ("fe80::1%eth0", "fe80::2", 0),
        ("fd00::1", "fd01::1", 1),
        ("fd00::1", "10.0.0.1", 2),
        ("lab1", "10.0.0.1", 1),
        ("10.0.0.1", "lab1", 1),
    ],
)
def test_what_is_near_is_seen_by_the_addresses(here, there, expected):
    assert distance(Address(here, 5000), Address(there, 5000)) == expected


def test_addresses_that_are_none_are_left_out():
    nodes = Nodes([A])
    nodes.enter(A, ["10.0.0.1:5000", "nonsense", "", "10.0.0.2:0", "[::1]:5000"])
    assert nodes.known == (A, ("::1", 5000))


def test_those_of_the_last_welcome_come_first_and_earlier_ones_stay_known(nodes):
    nodes.enter(B, [str(B), "10.0.0.4:5000", "10.0.0.5:5000"])
    nodes.lose_current(was_steady=True)
    assert [address.host[-1] for address in nodes.next_round()] == ["5", "4", "1", "3"]


def test_welcomes_cannot_name_nodes_without_end():
    nodes = Nodes([A])
    for port in range(5000, 8000, 1000):
        nodes.enter(A, [str(A), *(f"10.0.0.1:{other}" for other in range(port, port + 1000))])
    assert len(nodes.known) == 2 * MAX_NODES


# --- nodes with several addresses ----------------------------------------------------------------

MANY = ["10.0.0.1:5000", "10.1.0.1:5000", "10.0.0.2:5000", "10.1.0.2:5000", "10.1.0.3:5000"]
A2, B2, C2 = (Address(f"10.1.0.{number}", 5000) for number in (1, 2, 3))


def test_each_node_is_tried_with_one_address_before_any_with_a_second_one():
    nodes = Nodes([A])
    nodes.enter(A, MANY, [2, 2, 1])
    nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [B, C2, B2, A2], "the near one of each node, and itself last"
    nodes.note_attempt(B)
    assert nodes.next_round() == [C2, B2, A2]
    nodes.note_attempt(C2)
    assert nodes.next_round() == [B2, A2]


def test_a_node_that_was_reached_otherwise_is_one_node_too():
    here = Address("lab.example", 80)
    nodes = Nodes([here])
    nodes.enter(here, MANY, [2, 2, 1])
    nodes.lose_current(was_steady=True)
    assert nodes.next_round()[-1] == A2
    assert set(nodes.next_round()) == {A2, B, B2, C2}


@pytest.mark.parametrize("counts", [[2, 2], [2, 2, 2], [], [5, 0], [3, 2, 0], [-1, 6], [10**9]])
def test_counts_that_do_not_fit_count_each_address_as_a_node(counts):
    nodes = Nodes([A])
    nodes.enter(A, MANY, counts)
    nodes.lose_current(was_steady=True)
    assert nodes.next_round()[0] == B, "the only other one that is near"
    assert set(nodes.next_round()) == {A2, B, B2, C2}


def test_a_list_that_comes_later_counts_anew():
    nodes = Nodes([A])
    nodes.enter(A, MANY[:1])
    nodes.learn(MANY, [2, 2, 1])
    nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [B, C2, B2, A2]


def test_an_address_that_is_none_does_not_mix_up_the_others():
    nodes = Nodes([A])
    nodes.enter(A, ["10.0.0.1:5000", "nonsense:", *MANY[1:]], [3, 2, 1])
    nodes.lose_current(was_steady=True)
    assert nodes.next_round() == [B, C2, B2, A2]
