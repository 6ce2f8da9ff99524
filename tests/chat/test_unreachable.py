"""Why none of several servers can be used, in words."""

import re

import pytest

from tertulia.chat.destination import Destination
from tertulia.chat.explain import refused
from tertulia.chat.unreachable import no_connection, passed_over
from tertulia.client.addresses import Address, parse_addresses
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    NoConnection,
    NoNode,
    RegistrationRefused,
)
from tertulia.i18n import set_language
from tertulia.protocol.messages import Error, ErrorCode
from tertulia.tls.fingerprint import Fingerprint

A, B, C = parse_addresses("10.0.0.1,lab2:5001,[fd00::3]", 5000)
TO = Destination("ana", *A, others=(B, C))
ONE, OTHER = Fingerprint(b"\x01" * 32), Fingerprint(b"\x02" * 32)
EVERYTHING = [
    *(NoConnection(failure, "detail") for failure in ConnectFailure),
    CertificateRefused(ONE.hex, None, "no TLS"),
    CertificateRefused(ONE.hex, OTHER, "another"),
    CertificateRefused(None, None, "self-signed"),
    RegistrationRefused(Error(code=ErrorCode.TLS_REQUIRED, message="only TLS")),
    RegistrationRefused(Error(code=ErrorCode.REGISTER_TIMEOUT, message="too late")),
    OSError(24, "Too many open files"),
]


def test_each_server_is_named_with_what_is_wrong_there() -> None:
    failures = (
        (A, NoConnection(ConnectFailure.REFUSED)),
        (B, NoConnection(ConnectFailure.TIMED_OUT)),
        (C, CertificateRefused(ONE.hex, OTHER, "another")),
    )
    assert no_connection(NoNode(failures), TO).split("\n") == [
        "None of the servers of this chat can be used now:",
        "    10.0.0.1:5000: no server is listening there",
        "    lab2:5001: does not answer",
        "    [fd00::3]:5000: shows another certificate than expected; nothing was sent to it",
        "Check the addresses, and that the server is running at one of them.",
    ]


@pytest.mark.parametrize("failure", EVERYTHING, ids=repr)
def test_whatever_is_wrong_has_words_in_both_languages(failure: Exception) -> None:
    texts = {}
    for language in ("en", "es"):
        set_language(language)
        texts[language] = no_connection(NoNode([(A, failure), (B, failure)]), TO).split("\n")
    assert texts["en"][0] != texts["es"][0]
    for lines in texts.values():
        assert re.fullmatch(r"    10\.0\.0\.1:5000: \S.{5,}", lines[1])


def test_a_server_that_was_passed_over_is_named() -> None:
    refusal = CertificateRefused(ONE.hex, OTHER, "another")
    refusal.address = B
    assert passed_over(refusal).startswith("lab2:5001: shows another certificate than expected")


def test_the_command_after_a_wrong_certificate_is_only_for_the_server_that_has_shown_it() -> None:
    refusal = CertificateRefused(ONE.hex, OTHER, "another")
    refusal.address = Address("lab2", 5001)
    text = refused(refusal, TO)
    assert text.startswith("lab2, port 5001, shows another certificate")
    assert text.endswith(f"use: tertulia ana lab2 5001 --pin '{OTHER.words}'")
