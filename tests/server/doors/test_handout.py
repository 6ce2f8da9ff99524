"""What is answered below `/client`: the page in two languages, files by their exact names."""

import hashlib
import re

import pytest
from msgspec.structs import replace
from websockets.datastructures import Headers

from tertulia.i18n import set_language
from tertulia.server.doors.handout import ClientFiles, preferred_language
from tertulia.server.doors.http import Site
from tertulia.server.handout.catalogue import in_memory
from tertulia.server.handout.handout import Catalogue, Handout
from tertulia.server.workers.door import Opened

WHEEL = in_memory("tertulia-0.1.0-py3-none-any.whl", b"wheel" * 100_000)
OTHER = in_memory("rich-15.0.0-py3-none-any.whl", b"rich")


class Ready(Handout):
    def __init__(self, *files: object) -> None:
        super().__init__(None)
        self.files: Catalogue = {file.name: file for file in files}  # type: ignore[attr-defined]

    def ready(self) -> Catalogue | None:
        return self.files


def ask(
    path: str,
    *files: object,
    method: str = "GET",
    host: str = "192.168.1.10:5000",
    is_secure: bool = False,
    needs_code: bool = False,
    **headers: str,
) -> Opened:
    client_files = ClientFiles(Ready(*files), needs_code=needs_code)
    site = Site({}, (), client_files=client_files)
    fields = {"Host": host} | {name.replace("_", "-"): text for name, text in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    head = "\r\n".join(lines) + "\r\n\r\n"
    return site.respond(head.encode(), b"", is_secure=is_secure)


def page(*files: object, **request: object) -> str:
    answer = ask("/client", *files, **request).answer.decode()  # type: ignore[arg-type]
    assert answer.startswith("HTTP/1.1 200 "), answer
    return answer


def body(opened: Opened) -> bytes:
    assert opened.source is not None
    pieces = []
    while piece := opened.source.next_piece():
        assert len(piece) <= 128 * 1024
        pieces.append(piece)
    return b"".join(pieces)


def test_the_page_has_the_commands_for_this_very_server() -> None:
    assert "tertulia NAME 192.168.1.10 5000</code>" in page(WHEEL)
    assert "tertulia NAME 192.168.1.10 5000 --code CODE</code>" in page(WHEEL, needs_code=True)
    secure = page(WHEEL, is_secure=True, host="chat.lan")
    assert "pip install --trusted-host chat.lan https://chat.lan/client/tertulia-" in secure
    assert "tertulia NAME chat.lan 443 --tls<" in secure
    assert "tertulia NAME fd00::1 80<" in page(WHEEL, host="[fd00::1]")


def test_the_page_speaks_the_language_of_the_browser_and_not_of_the_server() -> None:
    set_language("en")
    spanish = page(WHEEL, Accept_Language="es-GT,es;q=0.9,en;q=0.5")
    assert '<html lang="es">' in spanish
    assert "tertulia NOMBRE 192.168.1.10 5000" in spanish
    assert "The client" not in spanish
    assert "Vary: Accept-Language" in spanish
    assert '<html lang="en">' in page(WHEEL)


def test_the_page_needs_no_script_and_no_other_host() -> None:
    text = page(WHEEL, OTHER)
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert " style=" not in text
    assert set(re.findall(r'(?:src|href)="([^/"]*//[^"]*)"', text)) == set()


@pytest.mark.parametrize("host", ["a<b>", "$(reboot)", "a'b", 'a"b', "a;b", "a`b`"])
def test_a_host_that_is_no_name_is_not_repeated(host: str) -> None:
    assert ask("/client", WHEEL, host=host).answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ("", "en"), ("es", "es"), ("ES-gt", "es"), ("fr, es;q=0.2", "es"), ("en;q=0.4, es", "es"),
        ("en, es", "en"), ("es;q=0", "en"), ("es;q=x, en;q=0.1", "en"), ("de", "en"), (";;,", "en"),
    ],
)  # fmt: skip
def test_of_the_languages_of_a_browser_the_best_that_there_is_counts(
    given: str, language: str
) -> None:
    assert preferred_language(Headers({"Accept-Language": given})) == language


def test_a_file_comes_in_pieces_with_its_length() -> None:
    opened = ask(f"/client/{WHEEL.name}", WHEEL)
    assert f"Content-Length: {WHEEL.size}\r\n".encode() in opened.answer
    assert hashlib.sha256(body(opened)).hexdigest() == WHEEL.sha256
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in opened.answer
    head = ask(f"/client/{WHEEL.name}?x=1", WHEEL, method="HEAD")
    assert f"Content-Length: {WHEEL.size}\r\n".encode() in head.answer
    assert head.source is None
    etag = f'"{WHEEL.sha256[:24]}"'
    known = ask(f"/client/{WHEEL.name}", WHEEL, If_None_Match=f'"other", {etag}')
    assert known.answer.startswith(b"HTTP/1.1 304 ")
    assert known.source is None


def test_a_file_that_ends_too_early_is_an_error_and_not_the_end_of_the_answer() -> None:
    opened = ask("/client/short.whl", replace(in_memory("short.whl", b"wheel"), size=6))
    assert opened.source is not None
    with pytest.raises(OSError, match="shorter"):
        opened.source.next_piece()


@pytest.mark.parametrize(
    "path",
    ["x.whl", "../server/cli.py", "..%2f..%2fetc/passwd", "/etc/passwd", "%00", WHEEL.name + "/"],
)
def test_what_is_not_in_the_catalogue_is_not_there(path: str) -> None:
    opened = ask(f"/client/{path}", WHEEL)
    assert opened.answer.startswith(b"HTTP/1.1 404 ")
    assert opened.source is None
    assert ask("/clients", WHEEL).answer.startswith(b"HTTP/1.1 404 ")


def test_the_page_is_not_posted_to() -> None:
    assert ask("/client", WHEEL, method="POST").answer.startswith(b"HTTP/1.1 405 ")
