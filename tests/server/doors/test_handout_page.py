"""The page at `/client`: the commands for a server, and the files that it hands out."""

import re

import pytest

from tertulia.server.doors.handout_page import Address, client_page
from tertulia.server.handout.catalogue import HandedFile, in_memory
from tertulia.version import __version__

OWN = in_memory("tertulia-0.1.0-py3-none-any.whl", b"wheel" * 100_000)
RICH = in_memory("rich-15.0.0-py3-none-any.whl", b"rich")
ONE_FILE = in_memory("tertulia.pyz", b"pyz" * 500)
HTTP = Address("http", "192.168.1.10:5000", "192.168.1.10", 5000)
HTTPS = Address("https", "chat.lan", "chat.lan", 443)


def page(
    *files: HandedFile, to: Address = HTTP, language: str = "en", needs_code: bool = False
) -> str:
    return client_page(to, language, {file.name: file for file in files}, needs_code)


def commands(text: str) -> list[list[str]]:
    """Return the lines of each block of commands."""
    return [
        block.split("\n") for block in re.findall(r'<pre tabindex="0"><code>([^<]*)</code>', text)
    ]


# --- as one file ---------------------------------------------------------------------------------


def test_the_one_file_is_downloaded_and_run() -> None:
    text = page(ONE_FILE)
    assert commands(text) == [
        [
            "curl -O http://192.168.1.10:5000/client/tertulia.pyz",
            "python3 tertulia.pyz NAME 192.168.1.10 5000",
        ]
    ]
    assert '<a href="/client/tertulia.pyz">Download the file</a>' in text


def test_over_tls_the_one_file_is_downloaded_without_a_look_at_the_certificate() -> None:
    assert commands(page(ONE_FILE, to=HTTPS)) == [
        [
            "curl --insecure -O https://chat.lan/client/tertulia.pyz",
            "python3 tertulia.pyz NAME chat.lan 443 --tls",
        ]
    ]


# --- installed -----------------------------------------------------------------------------------


def test_the_own_wheel_alone_needs_the_internet_for_the_others() -> None:
    assert commands(page(OWN)) == [
        [
            "python3 -m venv tertulia",
            f"tertulia/bin/pip install http://192.168.1.10:5000/client/{OWN.name}",
            "tertulia/bin/tertulia NAME 192.168.1.10 5000",
        ]
    ]
    assert "gets the packages that it needs from the internet" in page(OWN)


def test_with_other_wheels_the_internet_is_needed_only_for_missing_ones() -> None:
    text = page(RICH, OWN)
    offline, online = commands(text)
    assert offline[1] == (
        "tertulia/bin/pip install --trusted-host 192.168.1.10 --no-index --find-links "
        "http://192.168.1.10:5000/client/ tertulia"
    )
    assert [offline[0], online[1], offline[2]] == [
        online[0],
        f"tertulia/bin/pip install http://192.168.1.10:5000/client/{OWN.name}",
        online[2],
    ]
    assert "the internet is not needed" in text
    assert "gets the packages that it needs" not in text


def test_the_one_file_is_no_other_wheel() -> None:
    assert len(commands(page(ONE_FILE, OWN))) == 2


def test_over_tls_pip_has_to_trust_the_host() -> None:
    offline, online = commands(page(RICH, OWN, to=HTTPS))
    trust = "tertulia/bin/pip install --trusted-host chat.lan"
    assert offline[1] == f"{trust} --no-index --find-links https://chat.lan/client/ tertulia"
    assert online[1] == f"{trust} https://chat.lan/client/{OWN.name}"
    assert online[2] == "tertulia/bin/tertulia NAME chat.lan 443 --tls"


def test_without_the_own_wheel_nothing_can_be_installed() -> None:
    text = page(RICH)
    assert commands(text) == []
    assert "full screen" not in text


@pytest.mark.parametrize("file", [ONE_FILE, OWN])
def test_a_server_with_a_code_has_it_in_the_command(file: HandedFile) -> None:
    [[*_, join]] = commands(page(file, needs_code=True))
    assert join.endswith(" 5000 --code CODE")
    [[*_, join]] = commands(page(file, to=HTTPS, needs_code=True))
    assert join.endswith(" 443 --tls --code CODE")


# --- the files -----------------------------------------------------------------------------------


def test_all_files_are_listed_with_the_own_ones_first_and_with_their_digests() -> None:
    text = page(RICH, ONE_FILE, OWN)
    links = re.findall(r'<tr><td><a href="/client/([^"]*)">([^<]*)</a></td><td>([^<]*)</td>', text)
    assert links == [
        (f"{OWN.name}#sha256={OWN.sha256}", OWN.name, "500 kB"),
        (f"{ONE_FILE.name}#sha256={ONE_FILE.sha256}", ONE_FILE.name, "2 kB"),
        (f"{RICH.name}#sha256={RICH.sha256}", RICH.name, "0 kB"),
    ]
    for file in (RICH, ONE_FILE, OWN):
        assert f"<td><code>{file.sha256}</code></td>" in text


def test_a_server_without_files_says_so_and_has_no_table() -> None:
    text = page()
    assert "This server has no files to hand out" in text
    assert "<table" not in text
    assert commands(text) == []


# --- the page ------------------------------------------------------------------------------------


def test_the_page_leads_to_the_chat_in_the_browser() -> None:
    text = page(OWN)
    assert '<html lang="en">' in text
    assert f"<h1>tertulia {__version__}</h1>" in text
    assert '<p><a href="/">http://192.168.1.10:5000/</a></p>' in text


def test_the_page_and_the_words_in_its_commands_are_translated() -> None:
    text = page(OWN, ONE_FILE, language="es", needs_code=True)
    assert '<html lang="es">' in text
    assert "The client" not in text
    for *_, join in commands(text):
        assert join.endswith(" NOMBRE 192.168.1.10 5000 --code CÓDIGO")


def test_what_is_not_checked_before_cannot_become_a_tag() -> None:
    odd = in_memory('tertulia-<b>".whl', b"")
    text = page(odd, to=Address("http", "<i>", "<u>", 80))
    assert not re.findall(r'<[biu]>|<b>"', text)
    assert "&lt;b&gt;&quot;.whl" in text
    assert '<p><a href="/">http://&lt;i&gt;/</a></p>' in text
