"""Measures the speed and the memory of the page in Chromium, with a real server.

    .venv/bin/python benchmarks/page.py [--rounds 5]

The sender, the server and the browser share this machine. A frame is the time from one picture of
the browser to the next. An echo is the time from a key until the picture that shows it is
presented, as the browser itself notes it, in steps of 8 ms. To see what the machine alone costs,
keys are also pressed in an empty page, while a client of the library takes the same messages in.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from threading import Thread
from typing import Any

from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from tertulia import Client
from tertulia.protocol.messages import ChatMessage, Say

FLOOD = 20_000  # messages
SHORT_FLOOD = 5_000  # messages while keys are pressed
SHORT_FLOODS = 3  # in a round
KEYS = 25
SLOWER = 4  # times, as a phone is
LAST = "the last one"
PATIENCE_MS = 60_000
LEAST_NOTED_MS = 16  # the browser does not note shorter echoes
SHORT_ECHO_MS = 8  # stands for those

# The page has to fit into the window: what lies outside is not drawn, and its echoes never end.
WINDOW = "--window-size=1280,900"
EMPTY = "<title>empty</title><textarea id=composer autofocus></textarea>"

WATCH = """(wanted) => {
  const last = () => document.querySelector("#log .said:last-child .text")?.textContent;
  const shown = last();
  Object.assign(window, { frames: [], began: undefined, ended: undefined });
  let before = performance.now();
  const onFrame = (now) => {
    frames.push(now - before);
    before = now;
    if (last() !== shown) window.began ??= now;
    if (last() === wanted) window.ended = now;
    else requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
}"""

WATCH_KEYS = f"""() => {{
  Object.assign(window, {{ keys: [], echoes: new Map() }});
  window.observer?.disconnect();
  window.observer = new PerformanceObserver((list) => {{
    for (const one of list.getEntries()) {{
      if (one.name === "keydown") echoes.set(one.startTime, one.duration);
    }}
  }});
  observer.observe({{ type: "event", durationThreshold: {LEAST_NOTED_MS} }});
  document.getElementById("composer").onkeydown = ({{ timeStamp }}) => keys.push(timeStamp);
}}"""

# An echo is noted a little after its picture.
ECHOES = f"""(until) => new Promise((resolve) => {{
  const pressed = keys.filter((key) => key < until);
  const noted = () => resolve(pressed.map((key) => echoes.get(key) ?? {SHORT_ECHO_MS}));
  setTimeout(noted, 300);
}})"""


# The browser may note what it has painted a little later.
FIRST_PAINT = """() => new Promise((resolve) => {
  const type = "paint";
  new PerformanceObserver((list) => {
    const [first] = list.getEntriesByName("first-contentful-paint");
    if (first) resolve(first.startTime);
  }).observe({ type, buffered: true });
})"""


def first_paint_ms(page: Page) -> float:
    """Load the page and return when something was painted first."""
    page.reload()
    page.get_by_role("textbox").wait_for()
    return page.evaluate(FIRST_PAINT)


def flood(page: Page, sender: Client, count: int, meanwhile: Callable[[], None]) -> dict[str, Any]:
    """Send messages, do something meanwhile, and return what the page has noted."""
    wanted = f"{LAST} {time.monotonic_ns()}"
    page.evaluate(WATCH, wanted)
    send_meanwhile(sender, count, wanted, meanwhile)
    expect(page.locator("#log .text").last).to_have_text(wanted, timeout=PATIENCE_MS)
    return page.evaluate("({ taken: ended - began, frame: Math.max(...frames), ended })")


def echoes_in_a_flood(page: Page, sender: Client) -> list[float]:
    """Press keys while messages come, and return their echoes."""
    page.evaluate(WATCH_KEYS)
    ended = flood(page, sender, SHORT_FLOOD, lambda: press_keys(page))["ended"]
    echoes: list[float] = page.evaluate(ECHOES, ended)
    page.locator("#composer").fill("")
    return echoes


def echoes_in_an_empty_page(page: Page, sender: Client, reader: Client) -> list[float]:
    """Press keys while somebody else on this machine takes messages in, and return their echoes."""
    wanted = f"{LAST} {time.monotonic_ns()}"
    reading = Thread(target=_read, args=(reader, wanted))
    reading.start()
    page.evaluate(WATCH_KEYS)
    send_meanwhile(sender, SHORT_FLOOD, wanted, lambda: press_keys(page))
    reading.join()
    echoes: list[float] = page.evaluate(ECHOES, page.evaluate("performance.now()"))
    page.locator("#composer").fill("")
    return echoes


def send_meanwhile(sender: Client, count: int, last: str, meanwhile: Callable[[], None]) -> None:
    """Send messages in a thread, and do something at the same time."""
    thread = Thread(target=_send, args=(sender, count, last))
    thread.start()
    meanwhile()
    thread.join()


def _read(reader: Client, last: str) -> None:
    for event in reader.events():
        if isinstance(event, ChatMessage) and event.text == last:
            return


def _send(sender: Client, count: int, last: str) -> None:
    for number in range(count):
        sender.send(Say(text=f"message {number}, about as long as messages usually are"))
    sender.send(Say(text=last))


def press_keys(page: Page) -> None:
    """Press keys about as fast as a key that is held down repeats."""
    for _ in range(KEYS):
        page.keyboard.press("a")
        time.sleep(0.01)


def used_mb(session: CDPSession) -> float:
    """Return the size of the page's JavaScript heap after a collection."""
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6


def measure(page: Page, empty: Page, sender: Client, reader: Client, rounds: int) -> None:
    """Measure and print everything."""
    session = page.context.new_cdp_session(page)
    floods, sizes = [], []
    echoes: dict[str, list[list[float]]] = {
        "": [],
        f", {SLOWER} times slower": [],
        ", empty page": [],
    }
    usual, slow, control = echoes.values()
    for _ in range(rounds):
        page.bring_to_front()
        floods.append(flood(page, sender, FLOOD, lambda: None))
        usual += [echoes_in_a_flood(page, sender) for _ in range(SHORT_FLOODS)]
        sizes.append(used_mb(session))
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        slow += [echoes_in_a_flood(page, sender) for _ in range(SHORT_FLOODS)]
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        empty.bring_to_front()
        control += [echoes_in_an_empty_page(empty, sender, reader) for _ in range(SHORT_FLOODS)]
    _show(f"{FLOOD} messages, first to last [ms]", [one["taken"] for one in floods])
    _show("longest frame meanwhile [ms]", [one["frame"] for one in floods])
    for how, all_floods in echoes.items():
        every_key = [echo for one in all_floods for echo in one]
        _show(f"echo of a key in {SHORT_FLOOD} messages{how} [ms]", every_key)
        _show("  the longest one of each time", [max(one) for one in all_floods if one])
    _show("JavaScript heap after each round [MB]", sizes)
    print(f"elements of the log: {page.locator('#log > *').count()}")


def _show(what: str, values: list[float]) -> None:
    print(f"{what}: median {statistics.median(values):.1f}, most {max(values):.1f}")


def main() -> None:
    """Start a server and a browser, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="the figures are medians (5)")
    rounds = parser.parse_args().rounds
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is missing: apt-get install chromium")
    command = [sys.executable, "-m", "tertulia.server.cli", "0", "--host", "127.0.0.1"]
    command += ["--shared-addresses", "--history", "off", "--rate-limit", "off"]
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as server,
        sync_playwright() as playwright,
        ExitStack() as stack,
    ):
        assert server.stdout is not None
        port = int(server.stdout.readline().split()[-1])
        stack.callback(server.terminate)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", WINDOW]
        )
        page = browser.new_page(no_viewport=True)
        page.goto(f"http://127.0.0.1:{port}/")
        _show("first paint [ms]", [first_paint_ms(page) for _ in range(rounds)])
        page.get_by_role("textbox").fill("ana")
        page.keyboard.press("Enter")
        page.get_by_role("log").wait_for()
        empty = browser.new_page(no_viewport=True)
        empty.set_content(EMPTY)
        with (
            Client.connect("127.0.0.1", port, "luis") as sender,
            Client.connect("127.0.0.1", port, "eva") as reader,
        ):
            measure(page, empty, sender, reader, rounds)
        browser.close()


if __name__ == "__main__":
    main()
