"""What a program posts to a hook: the text, plain or in a JSON object."""

import pytest

from tertulia.protocol.hooks import BadNotice, read_notice

DEEP = '{"text":"hola","more":' + "[" * 10_000  # deeper than the decoder goes


@pytest.mark.parametrize("is_json", [True, False])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"text":"dos\\nlíneas\\n"}', "dos\nlíneas\n"),
        (' {"text":"hola","more":[1]}\n', "hola"),
    ],
)
def test_the_text_of_a_json_object_is_posted_whatever_the_body_is_called(
    body: str, text: str, is_json: bool
) -> None:
    assert read_notice(body.encode(), is_json=is_json) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("build ok", "build ok"),
        ("¿qué?\r\n\tdos \r\n\n", "¿qué?\n\tdos "),
        ('{"text":5}', '{"text":5}'),
        ("{not json", "{not json"),
        ("5", "5"),
        ('"x"', '"x"'),
        (DEEP, DEEP),
        ("", ""),
    ],
)
def test_any_other_body_is_a_text_itself(body: str, text: str) -> None:
    assert read_notice(body.encode(), is_json=False) == text


@pytest.mark.parametrize("body", ["hola", '{"text":5}', "{}", DEEP])
def test_a_body_that_should_be_json_needs_a_text(body: str) -> None:
    with pytest.raises(BadNotice, match="a JSON object with 'text' is needed: "):
        read_notice(body.encode(), is_json=True)


@pytest.mark.parametrize("is_json", [True, False])
def test_a_body_in_another_encoding_is_refused(is_json: bool) -> None:
    with pytest.raises(BadNotice, match="the text is not UTF-8"):
        read_notice(b'{"text":"ma\xf1ana"}', is_json=is_json)
