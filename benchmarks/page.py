"""Measures the speed and the memory of the page in Chromium, with a real server.

    .venv/bin/python benchmarks/page.py [--rounds 5]

The sender, the server and the browser share this machine. Frames and echoes are measured in the
page: a frame from one picture of the browser to the next, an echo from the event of a key until
the picture that shows it has been drawn.
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
from tertulia.protocol.messages import Say

FLOOD = 20_000  # messages
SHORT_FLOOD = 5_000  # messages while keys are pressed
KEYS = 25
LAST = "the last one"
PATIENCE_MS = 60_000

WATCH = """(wanted) => {
  const last = () => document.querySelector("#log .said:last-child .text")?.textContent;
  const shown = last();
  Object.assign(window, { frames: [], echoes: [], began: undefined, ended: undefined });
  let before = performance.now();
  const onFrame = (now) => {
    frames.push(now - before);
    before = now;
    if (last() !== shown) window.began ??= now;
    if (last() === wanted) window.ended = now;
    else requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);
  // Not a timer: while messages come, the browser lets timers wait, although it has drawn.
  const drawn = new MessageChannel();
  drawn.port1.onmessage = ({ data }) => echoes.push(performance.now() - data);
  document.getElementById("composer").onkeydown = ({ timeStamp }) => {
    requestAnimationFrame(() => drawn.port2.postMessage(timeStamp));
  };
}"""


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
    thread = Thread(target=_send, args=(sender, count, wanted))
    thread.start()
    meanwhile()
    thread.join()
    expect(page.locator("#log .text").last).to_have_text(wanted, timeout=PATIENCE_MS)
    return page.evaluate("({ taken: ended - began, frame: Math.max(...frames), echoes })")


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


def measure(page: Page, sender: Client, rounds: int) -> None:
    """Measure and print everything."""
    session = page.context.new_cdp_session(page)
    floods, echoes, sizes = [], [], []
    for _ in range(rounds):
        floods.append(flood(page, sender, FLOOD, lambda: None))
        echoes += flood(page, sender, SHORT_FLOOD, lambda: press_keys(page))["echoes"]
        sizes.append(used_mb(session))
    _show(f"{FLOOD} messages, first to last [ms]", [one["taken"] for one in floods])
    _show("longest frame meanwhile [ms]", [one["frame"] for one in floods])
    _show(f"echo of a key in {SHORT_FLOOD} messages [ms]", echoes)
    _show("JavaScript heap after each round [MB]", sizes)
    print(f"elements of the log: {page.locator('#log > *').count()}")


def _show(what: str, values: list[float]) -> None:
    print(f"{what}: median {statistics.median(values):.1f}, most {max(values):.1f}")


def main() -> None:
    """Start a server and a browser, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
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
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        _show("first paint [ms]", [first_paint_ms(page) for _ in range(rounds)])
        page.get_by_role("textbox").fill("ana")
        page.keyboard.press("Enter")
        page.get_by_role("log").wait_for()
        with Client.connect("127.0.0.1", port, "luis") as sender:
            measure(page, sender, rounds)
        browser.close()


if __name__ == "__main__":
    main()
