"""Pages and searches in the history of a real server."""

import time

import pytest
from histories import say_all, seqs_of, texts_of

PAGE_BYTES = 256 * 1024


# --- pages ---------------------------------------------------------------------------------------


def test_a_page_is_what_was_asked_for(start):
    ana = start().user("ana")
    seqs = say_all(ana, [f"m{number}" for number in range(250)])
    for request, expected, more in [
        ({}, seqs[-50:], True),
        ({"limit": 1}, seqs[-1:], True),
        ({"limit": 200}, seqs[-200:], True),
        ({"limit": 201}, seqs[-200:], True),
        ({"limit": 2**53}, seqs[-200:], True),
        ({"before": seqs[100], "limit": 10}, seqs[90:100], True),
        ({"before": seqs[5]}, seqs[:5], False),
        ({"before": 2**53 - 1, "limit": 1}, seqs[-1:], True),
        ({"before": 0}, [], False),
        ({"after": seqs[0], "limit": 10}, seqs[1:11], True),
        ({"after": seqs[239]}, seqs[240:], False),
        ({"after": 0, "limit": 3}, seqs[:3], True),
        ({"after": 2**53 - 1}, [], False),
        ({"after": seqs[10], "before": seqs[20], "limit": 5}, seqs[11:16], True),
        ({"after": seqs[10], "before": seqs[20]}, seqs[11:20], False),
        ({"after": seqs[20], "before": seqs[10]}, [], False),
    ]:
        page = ana.ask("history", **request)
        assert (seqs_of(page), page["more"]) == (expected, more), request


def test_a_page_holds_the_messages_as_they_were_delivered(start):
    ana = start().user("ana")
    texts = ["hola", "¿qué?\n\ttal", '"\\', "\u2028 \u202e 👩\u200d🚀 \U0010ffff", "x" * 16_384]
    for text in texts:
        ana.send("say", text=text, nonce=f"nonce of {text[:9]}")
    ana.send("say", text="without a nonce")
    live = [m for m in ana.until("message", text="without a nonce") if m.pop("type") == "message"]
    assert ana.ask("history")["messages"] == live
    assert [m["text"] for m in live] == [*texts, "without a nonce"]
    assert "nonce" not in live[-1]


def test_a_page_holds_at_most_256_kib_of_text(start):
    ana = start().user("ana")
    seqs = say_all(ana, ["ñ" * 8_192] * 40)
    page = ana.ask("history", limit=200)
    assert (seqs_of(page), page["more"]) == (seqs[-PAGE_BYTES // 16_384 :], True)
    forwards = ana.ask("history", limit=200, after=0)
    assert (seqs_of(forwards), forwards["more"]) == (seqs[: PAGE_BYTES // 16_384], True)
    collected = seqs_of(page)
    while page["more"]:
        page = ana.ask("history", limit=200, before=collected[0])
        collected = seqs_of(page) + collected
    assert collected == seqs


def test_a_fifth_page_under_way_is_refused(start):
    ana = start().user("ana")
    ana.ask("say", text="hola")
    kinds = ["history", "search", "history", "search", "history"]
    ana.send_all(*({"type": kind, "text": "hola", "id": n} for n, kind in enumerate(kinds)))
    answers = {}
    while len(answers) < len(kinds):
        if "id" in (message := ana.next()):
            answers[message["id"]] = message
    assert [answers[n]["type"] for n in range(4)] == ["history"] * 4
    assert answers[4]["code"] == "rate_limited"
    assert answers[4]["retry_after"] > 0
    assert texts_of(ana.ask("history")) == ["hola"]


def test_a_page_asked_for_right_after_a_message_holds_it(start):
    ana = start().user("ana")
    for number in range(50):
        ana.send_all(
            {"type": "say", "text": str(number)},
            {"type": "history", "limit": 1},
            {"type": "search", "text": str(number), "limit": 1},
        )
        for _ in range(2):
            assert texts_of(ana.until("history")[-1]) == [str(number)]


@pytest.mark.parametrize("last", ["quit", "eof"])
def test_pages_come_even_if_their_user_leaves_right_after_asking(start, last):
    ana = start().user("ana")
    say_all(ana, ["x" * 16_000] * 20)
    kinds = ["history", "search", "history", "history"]
    ana.send_all(*({"type": kind, "text": "nada", "id": n} for n, kind in enumerate(kinds)))
    ana.send("quit") if last == "quit" else ana.half_close()
    assert sorted(m["id"] for m in ana.rest() if m["type"] == "history") == [0, 1, 2, 3]


# --- searching -----------------------------------------------------------------------------------


def test_search_finds_messages_that_hold_all_the_words(start):
    ana = start().user("ana")
    say_all(ana, ["El niño come", "NIÑO y perro", "la niñez", "perro OR gato", "un\nperro\tmás"])
    for text, expected in [
        ("niño", ["El niño come", "NIÑO y perro"]),
        ("nino", ["El niño come", "NIÑO y perro"]),
        ("NIÑO", ["El niño come", "NIÑO y perro"]),
        ("nin\u0303o", ["El niño come", "NIÑO y perro"]),  # decomposed, as some systems send it
        ("perro niño", ["NIÑO y perro"]),
        ("más perro", ["un\nperro\tmás"]),
        ("mas", ["un\nperro\tmás"]),
        ("elefante", []),
    ]:
        assert texts_of(ana.ask("search", text=text)) == expected, text


def test_search_finds_a_word_within_a_run_of_every_script(start):
    ana = start().user("ana")
    say_all(
        ana, texts := ["明日は東京都に行く", "ฉันกินข้าวแล้ว", "한국어를 배운다", "ＴＯＫＹＯ straße"]
    )
    for query, index in [("東京", 0), ("กินข้าว", 1), ("한국어", 2), ("tokyo STRASSE", 3)]:
        assert texts_of(ana.ask("search", text=query)) == [texts[index]], query


def test_search_knows_words_and_no_query_language(start):
    server = start()
    ana = server.user("ana")
    ana.ask("say", text="perro OR gato")
    for text in ("perro OR elefante", "NEAR(perro gato)", "perr*", "text:perro", "(((", "_"):
        assert texts_of(ana.ask("search", text=text)) == [], text
    for text in ("^perro", '"perro', "perro' -- ;", "perro gato OR", "perro " * 2_000):
        assert texts_of(ana.ask("search", text=text)) == ["perro OR gato"], text
    assert "WARNING history" not in server.log()


def test_a_text_that_cannot_be_said_cannot_be_searched_for(start):
    server = start()
    ana = server.user("ana")
    ana.ask("say", text="perro gato")
    for text in ("", " ", "\0", "perro\0gato", "perro\x1b", "x" * 16_385):
        answer = ana.ask("search", text=text)
        assert answer.get("code") in ("text_invalid", "text_too_long"), (text[:9], answer)
    assert "WARNING history" not in server.log()


def test_a_search_is_paged_backwards(start):
    ana = start().user("ana")
    seqs = say_all(ana, [f"palabra {number}" if number % 2 else "nada" for number in range(300)])
    with_word = seqs[1::2]
    page = ana.ask("search", text="palabra")
    assert (seqs_of(page), page["more"]) == (with_word[-50:], True)
    page = ana.ask("search", text="palabra", before=with_word[100], limit=60)
    assert (seqs_of(page), page["more"]) == (with_word[40:100], True)
    page = ana.ask("search", text="palabra", before=with_word[40], limit=200)
    assert (seqs_of(page), page["more"]) == (with_word[:40], False)
    assert ana.ask("search", text="palabra", limit=0)["code"] == "malformed"


def test_an_enormous_search_keeps_nobody_else_waiting(start):
    server = start()
    ana, luis = server.users("ana", "luis")
    say_all(ana, ["x " * 50 + str(number) for number in range(5_000)])
    assert texts_of(luis.ask("search", text="4321")), "the index is not ready"
    for number in range(4):
        ana.send("search", text="x " * 32_000, id=number)
    ana.roundtrip()
    asked = time.monotonic()
    assert len(texts_of(luis.ask("history"))) == 50
    waited_s = time.monotonic() - asked
    answered = [message["id"] for message in ana.roundtrip() if "id" in message]
    # A query ends after 2 s, and ana's run one by one.
    assert waited_s < 4.0 or len(answered) < 4, "it waited for all of ana's"
