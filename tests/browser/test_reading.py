"""A long conversation: what is in the document, and what stays in view."""

from playwright.sync_api import Page, expect

from tertulia.protocol.messages import Say

MAX_SHOWN = 400

HOLD_PICTURES = """() => {
  const request = requestAnimationFrame;
  const held = [];
  window.requestAnimationFrame = (callback) => held.push(callback);
  window.release = () => {
    window.requestAnimationFrame = request; // also for what is asked for later
    held.forEach((callback) => request(callback));
  };
}"""


def shown(page: Page) -> list[str]:
    """Return the texts of the messages in the document."""
    return page.locator("#log .text").all_inner_texts()


def first_in_view(page: Page) -> list[object]:
    """Return the first message that begins in view, and its distance from the log's upper edge."""
    return page.evaluate("""() => {
      const log = document.getElementById("log");
      const top = log.getBoundingClientRect().top;
      const found = [...log.querySelectorAll(".said")]
        .find((said) => said.getBoundingClientRect().top >= top);
      return [found.querySelector(".text").textContent, found.getBoundingClientRect().top - top];
    }""")


def scroll_to(page: Page, top: int) -> None:
    page.evaluate("(top) => document.getElementById('log').scrollTo(0, top)", top)


def test_older_messages_come_as_one_scrolls_up_and_the_place_is_kept(room):
    luis = room.person("luis")
    for number in range(1, 701):
        luis.say(f"mensaje {number}")
    ana = room.join("ana")
    expect(ana.locator("#log .text").last).to_have_text("mensaje 700")
    assert shown(ana)[0] == "mensaje 651"
    while shown(ana)[0] != "mensaje 1":
        before = shown(ana)[0]
        scroll_to(ana, 100)
        place = first_in_view(ana)
        expect(ana.locator("#log .text").first).not_to_have_text(before)
        text, distance = first_in_view(ana)
        assert text == place[0]
        assert abs(distance - place[1]) < 2
        assert len(shown(ana)) <= MAX_SHOWN
    ana.get_by_role("button", name="Ir a lo más nuevo").click()
    expect(ana.locator("#log .text").last).to_have_text("mensaje 700")
    assert len(shown(ana)) <= MAX_SHOWN


def test_the_view_stays_where_one_reads_and_a_button_goes_down(room, message_with):
    luis = room.person("luis")
    ana = room.join("ana")
    for number in range(60):
        luis.say(f"mensaje {number}")
    expect(message_with(ana, "mensaje 59")).to_be_visible()
    scroll_to(ana, 700)
    expect(ana.get_by_role("button", name="Ir a lo más nuevo")).to_be_visible()
    place = first_in_view(ana)
    for text in ("uno", "dos", "tres"):
        luis.say(text)
    button = ana.get_by_role("button", name="3 nuevos")
    expect(button).to_be_visible()
    expect(ana).to_have_title("(3) tertulia")
    assert first_in_view(ana) == place
    button.click()
    expect(message_with(ana, "tres")).to_be_in_viewport()
    expect(button).to_be_hidden()
    expect(ana).to_have_title("tertulia")


def test_a_flood_leaves_few_messages_in_the_document(room):
    ana = room.join("ana")
    luis = room.person("luis")
    for number in range(5_000):
        luis.send(Say(text=f"mensaje {number}"))
    luis.say("fin")
    expect(ana.locator("#log .text").last).to_have_text("fin", timeout=60_000)
    assert len(shown(ana)) <= MAX_SHOWN


def test_while_a_flood_comes_only_what_is_in_view_is_drawn(room):
    ana = room.join("ana")
    luis = room.person("luis")
    for number in range(100):
        luis.say(f"mensaje {number}")
    expect(ana.locator("#log .text").last).to_have_text("mensaje 99")
    usual = len(shown(ana))
    ana.evaluate(HOLD_PICTURES)
    ana.evaluate("""() => {
      const log = document.getElementById("log");
      window.least = Infinity;
      const look = () => (window.least = Math.min(least, log.childElementCount));
      new MutationObserver(look).observe(log, { childList: true });
    }""")
    for number in range(500):
        luis.send(Say(text=f"mensaje {number}"))
    luis.say("fin")
    luis.direct("ana", "when the page has confirmed this, it has everything")
    ana.evaluate("release()")
    expect(ana.locator("#log .text").last).to_have_text("fin")
    assert ana.evaluate("least") < usual
    expect(ana.locator("#log .said")).to_have_count(usual)  # afterwards


def test_the_newest_message_is_followed_although_the_log_scrolls_before_much_is_drawn(
    room, message_with
):
    ana = room.join("ana")
    luis = room.person("luis")
    for number in range(60):
        luis.say(f"mensaje {number}")
    expect(ana.locator("#log .text").last).to_have_text("mensaje 59")
    ana.evaluate(HOLD_PICTURES)
    for number in range(150):
        luis.send(Say(text=f"mensaje {number}"))
    luis.say("fin")
    luis.direct("ana", "when the page has confirmed this, it has everything")
    ana.evaluate("""() => {
      for (let times = 0; times < 2; times++) {
        document.getElementById("log").dispatchEvent(new Event("scroll"));
      }
      release();
    }""")
    expect(message_with(ana, "fin")).to_be_in_viewport()
    expect(ana.get_by_role("button", name="Ir a lo más nuevo")).to_be_hidden()


def test_the_newest_message_stays_in_view_while_the_composer_grows(room, message_with):
    ana = room.join("ana")
    luis = room.person("luis")
    for number in range(200):
        luis.send(Say(text=f"mensaje {number}"))
        if number % 20 == 0:
            ana.get_by_role("textbox", name="Mensaje para todos").fill("a\n" * (number // 20 % 8))
    luis.say("fin")
    expect(message_with(ana, "fin")).to_be_in_viewport(ratio=1)
    expect(ana.locator("#newer")).to_be_hidden()
