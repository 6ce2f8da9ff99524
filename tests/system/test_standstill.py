"""What users of a node notice while nothing comes back from the nats-servers."""

from cluster_nodes import nodes_of
from nats_servers import nats_servers
from peers import BOTH_THREAD_MODELS, Message, Peer, fresh_address
from web_peer import PING, WebPeer


@BOTH_THREAD_MODELS
def test_a_ping_is_answered_while_the_requests_before_it_wait(chat, tmp_path, threads):
    with nats_servers(tmp_path) as nats, nodes_of(nats, chat, tmp_path, threads) as nodes:
        server = nodes.start("lab1")
        ana = server.user("ana")
        luis = WebPeer("127.0.0.1", server.port, fresh_address())
        eva = server.peer()
        server.peers.append(luis)
        luis.register("luis")
        ana.until("joined", name="luis")
        nats.pause(0)
        for peer in (ana, luis):
            peer.send_all(
                {"type": "say", "text": "hola", "id": 1},
                {"type": "status", "status": "OCUPADO", "id": 2},
                {"type": "say", "text": "adiós", "id": 3},
            )
        eva.send("register", name="eva", id=1)
        for peer in (ana, luis, eva, luis, ana):
            assert besides_a_pong(peer) == []
        luis.send_frame(PING, b"eh")
        assert besides_a_pong(luis) == []
        assert luis.pongs == [b"eh"]
        nats.resume(0)
        for peer in (ana, luis):
            answers = [m for m in peer.until_answered(1, 2, 3) if "id" in m]
            assert {m["type"] for m in answers} == {"ok"}
        assert eva.until("welcome")[-1]["id"] == 1


def besides_a_pong(peer: Peer) -> list[Message]:
    """Return what comes before the answer to a ping, without the server's own pings."""
    return [message for message in peer.roundtrip() if message["type"] != "ping"]
