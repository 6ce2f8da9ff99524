"""Which pages may connect to a node, and which nodes a page may connect to."""

import pytest

from tertulia.server.doors.nodes import hosts_of, is_of_a_node, sources_of

NODES = ("10.0.0.1:5000", "Lab2.example.org:5001", "[FD00:0::3]:80", "10.0.0.4:443")


@pytest.mark.parametrize(
    "origin",
    ["http://10.0.0.1:5000", "https://10.0.0.1:5000", "http://LAB2.example.org:5001",
     "http://[fd00::3]", "https://10.0.0.4"],
)  # fmt: skip
def test_a_page_comes_from_a_node_however_its_address_is_written(origin):
    assert is_of_a_node(origin, NODES)


@pytest.mark.parametrize(
    "origin",
    ["http://10.0.0.1:5001", "http://10.0.0.1", "https://[fd00::3]", "http://10.0.0.11:5000",
     "http://10.0.0.1:5000.evil.example", "http://evil.example:5000", "null", "",
     "ftp://10.0.0.1:5000", "http://10.0.0.1:x", "http://10.0.0.1:99999", "http://user@:5000",
     "http://[::1", "file://"],
)  # fmt: skip
def test_another_page_does_not(origin):
    assert not is_of_a_node(origin, NODES)


def test_without_nodes_no_page_comes_from_one():
    assert not is_of_a_node("http://10.0.0.1:5000", ())


def test_the_hosts_of_the_nodes_have_one_spelling():
    assert hosts_of(NODES) == {"10.0.0.1", "lab2.example.org", "fd00::3", "10.0.0.4"}


def test_a_page_of_a_server_alone_may_connect_only_to_it():
    assert sources_of((), is_secure=False) == sources_of((), is_secure=True) == ""


def test_a_page_of_a_node_may_connect_to_nodes_that_come_later_with_the_same_protection():
    assert sources_of(NODES[:1], is_secure=False) == sources_of(NODES, is_secure=False) == " ws:"
    assert sources_of(NODES, is_secure=True) == " wss:"
