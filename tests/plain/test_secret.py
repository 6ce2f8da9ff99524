"""A secret typed without echo: what the keys make of it, and what gives it up."""

import pytest

from tertulia.plain.secret import MAX_CHARS, Cancelled, SecretField

CANCELLED = Cancelled.CANCELLED


@pytest.mark.parametrize(
    ("keys", "secret"),
    [
        (b"open\r", "open"),
        (b"  open sesame \n", "open sesame"),
        (b"opeb\x7fn\r", "open"),
        (b"opeb\bn\r", "open"),
        (b"\x7fopen\r", "open"),
        (b"wrong\x15open\r", "open"),
        (b"op\x1b[1;5Cen\x1bOA\x1b[A\r", "open"),
        (b"op\x00\x01en\r", "open"),
        ("señal\r".encode(), "señal"),
        (b"op\xffen\r", "op\ufffden"),
        (b"open\rand more", "open"),
        (b"x" * (MAX_CHARS + 5) + b"\r", "x" * MAX_CHARS),
        (b"open", None),
        (b"\r", CANCELLED),
        (b"   \r", CANCELLED),
        (b"open\x03", CANCELLED),
        (b"open\x04", CANCELLED),
    ],
)
def test_keys_make_a_secret(keys: bytes, secret: str | Cancelled | None) -> None:
    assert SecretField("utf-8").feed(keys) == secret


def test_a_letter_may_come_in_pieces() -> None:
    field = SecretField("utf-8")
    assert [field.feed(bytes([byte])) for byte in "ñ\r".encode()] == [None, None, "ñ"]
