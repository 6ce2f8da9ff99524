"""Registration: name and address are taken in one step and are free again at once."""

import re
import threading
from functools import partial

from peers import BOTH_THREAD_MODELS, IN_CLUSTER_TOO


def test_welcome_describes_the_session_and_the_server(server):
    ana = server.peer()
    welcome = ana.register("ana")
    assert set(welcome) >= {"type", "id", "seq", "token", "epoch", "server"}
    assert welcome["name"] == "ana"
    assert welcome["address"] == ana.source
    assert welcome["status"] == "ACTIVO"
    assert welcome["protocol"] == 1
    assert welcome["idle_after"] == 120
    assert welcome["max_text"] == 16384
    assert re.fullmatch(r"tertulia \S+", welcome["server"])
    assert isinstance(welcome["token"], str)
    assert len(welcome["token"]) >= 16
    assert isinstance(welcome["epoch"], str)


def test_a_register_without_an_id_is_answered_without_one(server):
    ana = server.peer()
    ana.send("register", name="ana")
    assert "id" not in ana.expect("welcome", name="ana")


def test_tokens_differ_and_the_epoch_does_not(server):
    welcomes = [server.peer().register(name) for name in ("ana", "luis", "eva")]
    assert len({welcome["token"] for welcome in welcomes}) == 3
    assert len({welcome["epoch"] for welcome in welcomes}) == 1


@BOTH_THREAD_MODELS
def test_everyone_including_the_newcomer_gets_the_same_joined(server):
    ana, luis = server.user("ana"), server.peer()
    luis.send("register", name="luis")
    seq = luis.expect("welcome", name="luis")["seq"]
    joined = luis.expect("joined", name="luis", status="ACTIVO")
    assert joined["seq"] > seq
    assert ana.expect("joined") == joined


def test_a_name_may_be_in_any_script_and_is_shown_in_nfc(server):
    peer = server.peer()
    peer.send("register", name="Jose\u0301_हिन्दी")
    peer.expect("welcome", name="José_हिन्दी")
    peer.expect("joined", name="José_हिन्दी")


def test_an_invalid_name_is_refused_and_the_connection_closed(server):
    peer = server.peer()
    peer.send("register", name="a b", id=5)
    peer.expect_error("name_invalid", id=5)
    peer.expect_end()


def test_a_name_is_taken_in_all_its_spellings(server):
    jose = server.user("José")
    for spelling in ("ＪＯＳÉ", "jose"):
        newcomer = server.peer()
        newcomer.send("register", name=spelling, id=5)
        newcomer.expect_error("name_taken", id=5, name="José")
        newcomer.expect_end()
    assert jose.roundtrip() == []
    jose.send("direct", to="jose", text="hola", id=6)
    jose.expect("direct", to="José")


def test_a_word_that_the_chat_needs_is_no_name(server):
    peer = server.peer()
    peer.send("register", name="Todos", id=5)
    peer.expect_error("name_invalid", id=5)
    peer.expect_end()


def test_a_second_user_from_one_address_is_refused(server):
    ana = server.user("ana")
    with ana.alive():
        newcomer = server.peer(ana.source)
        newcomer.send("register", name="luis", id=5)
        newcomer.expect_error("address_taken", id=5)
        newcomer.expect_end()
    assert server.sync(ana) == [[]]


def test_the_error_is_about_the_name_when_both_are_taken(server):
    ana, luis = server.users("ana", "luis")
    with ana.alive(), luis.alive():
        for source in (ana.source, luis.source):
            newcomer = server.peer(source)
            newcomer.send("register", name="ana")
            newcomer.expect_error("name_taken")
            newcomer.expect_end()


def test_a_connection_that_does_not_register_takes_no_address(server):
    first = server.peer()
    server.user("ana", first.source)
    assert first.roundtrip() == []


def test_a_refused_newcomer_takes_nothing(server):
    ana = server.user("ana")
    refused = server.peer()
    refused.send("register", name="ana")
    refused.expect_error("name_taken")
    refused.expect_end()
    server.user("luis", refused.source)
    assert [m["type"] for m in server.sync(ana)[0]] == ["joined"]


def test_the_refusal_can_be_read_even_if_the_client_sent_more(server):
    server.user("ana")
    newcomer = server.peer()
    newcomer.send_raw(b'{"type":"register","name":"ana"}\n' + b'{"type":"users"}\n' * 2000)
    newcomer.expect_error("name_taken")
    newcomer.expect_end()


def test_a_protocol_that_the_server_does_not_speak_is_refused(server):
    peer = server.peer()
    peer.send("register", name="ana", protocol=2, id=1)
    peer.expect_error("protocol_unsupported", id=1)
    peer.expect_end()
    server.peer().register("ana", protocol=1)


def test_a_registered_user_cannot_register_again(server):
    ana = server.user("ana")
    ana.send("register", name="eva", id=2)
    ana.expect_error("already_registered", id=2)
    assert ana.ask("users")["users"] == [{"name": "ana", "status": "ACTIVO"}]


def test_after_a_register_with_a_wrong_field_the_client_may_try_again(server):
    peer = server.peer()
    peer.send("register", id=4, name="ana", token=1)
    peer.expect_error("malformed", id=4)
    peer.register("ana")


@IN_CLUSTER_TOO
@BOTH_THREAD_MODELS
def test_a_name_is_free_again_at_once_when_its_user_quits(server):
    luis = server.user("luis")
    for _ in range(5):
        ana = server.user("ana")
        refused = server.peer()
        refused.send("register", name="ana")
        refused.expect_error("name_taken")
        ana.send("quit")
        ana.expect_end()
        server.user("ana", ana.source).send("quit")
        luis.until("left", name="ana")
        luis.until("left", name="ana")


@BOTH_THREAD_MODELS
def test_a_killed_clients_name_and_address_are_free_at_once(server):
    ana = server.user("ana")
    for _ in range(5):
        luis = server.user("luis")
        luis.reset()
        ana.until("left", name="luis", reason="lost")
        server.user("luis", luis.source).send("quit")
        ana.until("left", name="luis", reason="quit")


@IN_CLUSTER_TOO
@BOTH_THREAD_MODELS
def test_of_a_hundred_who_ask_for_one_name_at_one_instant_exactly_one_gets_it(server, together):
    witness = server.user("witness")
    peers = [server.peer() for _ in range(100)]
    together(*(partial(peer.send, "register", name="ana") for peer in peers))
    answers = [peer.next() for peer in peers]
    assert [a["type"] for a in answers].count("welcome") == 1
    refusals = [answer for answer in answers if answer["type"] != "welcome"]
    assert {refusal["code"] for refusal in refusals} == {"name_taken"}
    for peer, answer in zip(peers, answers, strict=True):
        if answer["type"] != "welcome":
            peer.expect_end()
    assert [m["name"] for m in server.sync(witness)[0]] == ["ana"]


@BOTH_THREAD_MODELS
def test_of_twenty_who_come_from_one_address_at_one_instant_exactly_one_gets_it(server):
    first = server.peer()
    peers = [first, *(server.peer(first.source) for _ in range(19))]
    answers = {}
    answered = threading.Semaphore(0)

    def ask(peer):
        peer.send("register", name=f"user{peers.index(peer)}")
        answers[peer] = peer.next()
        answered.release()
        peer.rest()  # the winner answers the challenges of the others

    threads = [threading.Thread(target=ask, args=(peer,)) for peer in peers]
    for thread in threads:
        thread.start()
    assert all(answered.acquire(timeout=30) for _ in peers)
    winners = [peer for peer, answer in answers.items() if answer["type"] == "welcome"]
    for winner in winners:
        winner.send("quit")
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    codes = [answer["code"] for answer in answers.values() if answer["type"] == "error"]
    assert codes == ["address_taken"] * 19


@BOTH_THREAD_MODELS
def test_a_registration_left_hanging_keeps_nobody_waiting(server):
    hanging = [server.peer() for _ in range(20)]
    for peer in hanging[::2]:
        peer.send_raw(b'{"type":"register","na')
    server.users("ana", "luis", "eva")
    for peer in hanging[::2]:
        peer.send_raw(b'me":"x%d"}\n' % hanging.index(peer))
        peer.expect("welcome")


def test_many_users_share_an_address_where_the_operator_allows_it(start_server):
    server = start_server("--shared-addresses")
    ana = server.user("ana")
    for name in ("luis", "eva", "leo"):
        assert server.peer(ana.source).register(name)["address"] == ana.source
    assert len(ana.ask("users")["users"]) == 4
    assert ana.pings == 0
    refused = server.peer(ana.source)
    with ana.alive():
        refused.send("register", name="ana")
        refused.expect_error("name_taken")
