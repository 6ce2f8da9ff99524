"""A flood of messages: the page takes them in, answers keys meanwhile, and does not grow."""

import time
from collections.abc import Callable
from threading import Thread

from playwright.sync_api import Page, expect

from tertulia import Client
from tertulia.protocol.messages import Say

# What a person would not notice. The tests allow more, because this machine may be slow and also
# runs the server.
ALL_TAKEN_IN_MS = 1_000  # 20,000 lines
LONGEST_FRAME_MS = 100
ECHO_MS = 50
SLACK = 4
MAX_SHOWN = 400

WATCH = """() => {
  window.frames = [];
  window.echoes = [];
  let before = performance.now();
  const onFrame = (now) => {
    frames.push(now - before);
    before = now;
    const last = document.querySelector("#log .said:last-child .text")?.textContent;
    if (last) window.began ??= now;
    if (last === "fin") window.ended ??= now;
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
  document.getElementById("composer").addEventListener("keydown", (event) => {
    requestAnimationFrame(() => setTimeout(() => echoes.push(performance.now() - event.timeStamp)));
  });
}"""


def flood(sender: Client, count: int) -> None:
    for number in range(count):
        sender.send(Say(text=f"mensaje {number}, tan largo como suele ser uno"))
    sender.send(Say(text="fin"))


def watch_flood(page: Page, sender: Client, count: int, meanwhile: Callable[[], None]) -> None:
    """Send messages, do something meanwhile, and wait until the last one is shown."""
    page.evaluate(WATCH)
    thread = Thread(target=flood, args=(sender, count))
    thread.start()
    meanwhile()
    thread.join()
    expect(page.locator("#log .text").last).to_have_text("fin", timeout=60_000)


def test_twenty_thousand_lines_are_taken_in_at_once(room):
    ana = room.join("ana")
    watch_flood(ana, room.person("luis"), 20_000, lambda: None)
    assert ana.evaluate("ended - began") < ALL_TAKEN_IN_MS * SLACK
    assert ana.evaluate("Math.max(...frames)") < LONGEST_FRAME_MS * SLACK
    assert ana.locator("#log > *").count() <= MAX_SHOWN


def test_a_key_is_answered_at_once_in_the_middle_of_a_flood(room):
    ana = room.join("ana")

    def write() -> None:
        for _ in range(20):
            ana.keyboard.press("a")
            time.sleep(0.01)  # as fast as a person holds a key down

    watch_flood(ana, room.person("luis"), 5_000, write)
    expect(ana.get_by_role("textbox", name="Mensaje para todos")).to_have_value("a" * 20)
    echoes = sorted(ana.evaluate("echoes"))
    assert echoes[len(echoes) // 2] < ECHO_MS
    assert echoes[-1] < ECHO_MS * SLACK


def test_memory_stays_flat(room):
    ana = room.join("ana")
    luis = room.person("luis")
    session = ana.context.new_cdp_session(ana)

    def used_bytes() -> float:
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"]

    watch_flood(ana, luis, 20_000, lambda: None)
    before = used_bytes()
    luis.say("otra vez")
    watch_flood(ana, luis, 20_000, lambda: None)
    assert used_bytes() < before + 2_000_000
