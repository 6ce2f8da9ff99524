"""Web addresses become links: whole ones, and none that hides where it leads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.tui.painting.links import Address, addresses, link_lines
from tertulia.tui.painting.wrap import wrap

URL = "https://example.org/a?b=c&d=%20e#f"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"see {URL} please", [URL]),
        (f"({URL})", [URL]),
        (f"“{URL}”.", [URL]),
        (f"{URL}, {URL}!", [URL, URL]),
        ("http://localhost:5000/", ["http://localhost:5000/"]),
        ("http://192.168.1.10:5000.", ["http://192.168.1.10:5000"]),
        ("http://[fe80::1]:80/x", ["http://[fe80::1]:80/x"]),
        ("HTTPS://Example.ORG", ["HTTPS://Example.ORG"]),
        ("https://en.wikipedia.org/wiki/Go_(game)", ["https://en.wikipedia.org/wiki/Go_(game)"]),
        ("(https://example.org/x)", ["https://example.org/x"]),
        ("https://example.org/x␛]8;;https://evil.example", ["https://example.org/x"]),
        ("<https://example.org/x<U+202E>y", ["https://example.org/x"]),
        ("https://good.example@evil.example/", []),
        ("https://good.example:pw@evil.example/", []),
        ("https://good.example∕evil.example/", []),
        ("https://good.example＠evil.example/", []),
        ("https://gооd.example/", []),
        ("https://good.example\\evil.example", []),
        ("https:///nothing", []),
        ("https://-x", []),
        ("javascript:alert(1) ftp://example.org file:///etc/passwd", []),
        ("xhttps://example.org", []),
        ("https://" + "a" * 3000 + "/", []),
        ("https://" + "a" * 1992, ["https://" + "a" * 1992]),
        ("https://" + "a" * 1993, []),
    ],
)
def test_the_addresses_in_a_text(text: str, found: list[str]) -> None:
    assert [address.text for address in addresses(text)] == found


def test_letters_of_other_scripts_in_a_path_are_encoded() -> None:
    [address] = addresses("https://es.wikipedia.org/wiki/España%20x")
    assert address == Address(
        "https://es.wikipedia.org/wiki/España%20x", "https://es.wikipedia.org/wiki/Espa%C3%B1a%20x"
    )


@given(st.text("htps:/.ab@ñ∕?#()[]% \n", max_size=30).map("https://".__add__))
def test_a_target_is_printable_ascii_and_its_host_is_what_is_shown(text: str) -> None:
    for shown, target in addresses(text):
        assert target.isascii()
        assert target.isprintable()
        assert " " not in target
        assert shown in text
        host = target.partition("://")[2]
        assert shown.partition("://")[2].startswith(host.partition("/")[0].partition("?")[0][:1])
        assert "@" not in host.partition("/")[0].partition("?")[0].partition("#")[0]


@pytest.mark.parametrize("width", [8, 10, 20, 34, 60])
def test_all_parts_of_a_wrapped_link_have_its_whole_target(width: int) -> None:
    text = f"see {URL} and {URL}."
    lines = wrap(text, width)
    painted = link_lines(lines, text, "text")
    assert ["".join(part for part, _ in runs) for runs in painted] == lines
    linked = [(part, style) for runs in painted for part, style in runs if style != "text"]
    assert "".join(part for part, _ in linked) == URL + URL
    assert {style for _, style in linked} == {f"text {URL}"}


def test_an_address_that_is_not_shown_whole_is_no_link() -> None:
    text = f"{URL}/{'x' * 300}"
    lines = [*wrap(text, 20)[:3], "… 9 more lines: F7"]
    assert link_lines(lines, text, "text") == [[(line, "text")] for line in lines]


@given(st.text("ab \n\t", max_size=40), st.integers(1, 12))
def test_a_text_without_an_address_stays_as_it_is(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert link_lines(lines, text, "text") == [[(line, "text")] for line in lines]
