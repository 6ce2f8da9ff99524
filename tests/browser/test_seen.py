"""Who has seen a message, what programs say, and the words that people try."""

import re
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
TITLE = {"es": "¿Quién lo vio?", "en": "Who has seen this?"}
COUNT_BEEPS = """
  window.beeps = 0;
  window.AudioContext = class extends AudioContext {
    createOscillator() { window.beeps += 1; return super.createOscillator(); }
  };
  null
"""
SECRET = "a-secret-of-24-characters"


@pytest.fixture
def kept_in_order(start_room, tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    return start_room("--operator-secret", str(file))


def submit(page, text):
    page.locator("#composer").fill(text)
    page.locator("#send").click()


def axe(page):
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    found = page.evaluate("axe.run().then((result) => result.violations)")
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


def test_who_has_seen_a_message_is_shown_and_stays_up_to_date(room, phone, message_with):
    ana = room.join("ana", "en", **phone)
    luis = room.join("luis", "en")
    room.person("ci")  # a program, which does not report what it has seen
    submit(luis, "@ci hola")
    luis.get_by_role("navigation").get_by_role("button", name="ci").click()
    dialog = ana.get_by_role("dialog", name=TITLE["en"])
    submit(ana, "/vistos")
    expect(ana.locator("#hint")).to_have_text("You have not said anything to everyone yet.")
    submit(ana, "a las 8")
    message_with(ana, "a las 8").get_by_role("button", name=TITLE["en"]).tap()
    expect(dialog).to_contain_text("ana: a las 8")
    expect(dialog).to_contain_text("Not seen yet (1): luis")
    expect(dialog).to_contain_text(re.compile(r"Unknown.* \(1\): ci"))
    assert axe(ana) == []
    luis.get_by_role("navigation").get_by_role("button", name="General").click()
    expect(dialog).to_contain_text("Seen (1): luis", timeout=30_000)
    expect(dialog).not_to_contain_text("Not seen yet")
    ana.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_what_a_program_says_is_marked_and_operators_see_who_has_seen_it(
    kept_in_order, message_with
):
    ana = kept_in_order.join("ana", "es", path=f"/#operator={SECRET}")
    luis = kept_in_order.join("luis", "en")
    submit(ana, "/fijra")
    guess = "No existe el comando /fijra. ¿Quisiste decir /fijar?"
    expect(ana.locator("#hint")).to_have_text(guess)
    submit(luis, "/fijra")
    expect(luis.locator("#hint")).to_contain_text("There is no command /fijra. /help shows")
    submit(luis, "/kick ana")
    expect(luis.locator("#hint")).to_contain_text("Only an operator can do that.")
    submit(ana, "/hook build")
    made = ana.get_by_role("dialog", name="build")
    expect(made).to_contain_text("/hook/")
    address = re.search(r"/hook/\S+", made.inner_text())
    assert address is not None
    ana.keyboard.press("Escape")
    url = f"http://127.0.0.1:{kept_in_order.server.port}{address[0]}"
    with urllib.request.urlopen(url, data=b"build ok: ana", timeout=10):
        pass
    notice = message_with(luis, "build ok")
    expect(notice).to_contain_text("build (hook)")
    sign = "getComputedStyle(document.querySelector('{}'), '::before').content"
    luis.wait_for_function(f"""{sign.format(".said")}.startsWith('"#"')""")
    expect(message_with(ana, "build ok")).to_have_class(re.compile("mention"))
    button = message_with(ana, "build ok").get_by_role("button", name="Visto por")
    button.press("Enter")
    dialog = ana.get_by_role("dialog", name=TITLE["es"])
    expect(dialog).to_contain_text(re.compile("Visto por .*luis"), timeout=30_000)
    ana.keyboard.press("Escape")
    expect(button).to_be_focused()
    submit(ana, "a las 8")
    expect(message_with(ana, "a las 8")).to_contain_text("✓")
    submit(ana, "/vistos")
    expect(dialog).to_contain_text("ana: a las 8")
    ana.keyboard.press("Escape")
    message_with(ana, "build ok").get_by_role("button", name="Fijar").click()
    expect(luis.get_by_role("region", name="Pinned message")).to_contain_text(
        "# build (hook): build"
    )
    luis.reload()
    expect(notice).to_contain_text("build (hook)")
    expect(luis.get_by_role("region", name="Pinned message")).to_contain_text(
        "# build (hook): build"
    )
    luis.get_by_role("searchbox").fill("build")
    luis.keyboard.press("Enter")
    expect(luis.get_by_role("dialog").get_by_role("article")).to_contain_text("build (hook)")
    luis.wait_for_function(f"""{sign.format("dialog .sender")}.startsWith('"# "')""")


def test_words_of_other_chats_do_the_obvious_or_say_what_does(room):
    ana = room.join("ana", "en")
    luis = room.person("luis")
    ana.evaluate(COUNT_BEEPS)
    loaded = "performance.getEntriesByType('resource').map((one) => one.name)"
    assert not [name for name in ana.evaluate(loaded) if "/tried/" in name]
    ana.route("**/tried/**", lambda route: route.abort())
    submit(ana, "/busy")
    expect(ana.locator("#hint")).to_contain_text("There is no connection now.")
    luis.set_status("INACTIVO")
    expect(ana.get_by_role("button", name="luis, INACTIVO")).to_be_visible()
    expect(ana.locator("#hint")).to_contain_text("There is no connection now.")
    expect(ana.locator("#composer")).to_have_value("/busy")
    room.complaints.clear()  # the browser tells in its console what the test has stopped
    ana.unroute_all()
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("combobox", name="Status")).to_have_value("OCUPADO")
    expect(ana.locator("#composer")).to_have_value("")
    for line, hint in {
        "/nick eva": "Your name is chosen on entering. Leave with /quit",
        "/clear": "Nothing is deleted here",
        "/me waves": "Type the text alone to send it",
        "/slair": "There is no command /slair. Did you mean /quit?",
        "/close": "The general chat always stays open.",
        "/close luis": "There is no conversation with “luis”.",
        "/notify at": "Only your name after “@” is a mention.",
    }.items():
        submit(ana, line)
        expect(ana.locator("#hint")).to_contain_text(hint)
    submit(ana, "/whois luis")
    expect(ana.get_by_role("dialog", name="luis")).to_contain_text("127.0.0.1")
    ana.keyboard.press("Escape")
    submit(ana, "/ip")
    expect(ana.get_by_role("dialog", name="ana")).to_contain_text("127.0.0.1")
    ana.keyboard.press("Escape")
    ana.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    luis.say("ana is a common word")
    luis.say("@ana is not")
    messages = ana.get_by_role("log").locator(".mention")
    expect(messages).to_have_text(re.compile("@ana is not"))
    ana.wait_for_function("beeps === 2")  # the first one when she chose it
    submit(ana, "/notify statuses")
    expect(ana.locator("#hint")).to_contain_text("Each change of status is a line in the chat now.")
    luis.set_status("OCUPADO")
    expect(ana.get_by_role("log")).to_contain_text("luis ◐ OCUPADO")
    luis.direct("ana", "psst")
    conversation = ana.get_by_role("navigation").get_by_role("button", name="luis")
    conversation.click()
    expect(ana.get_by_role("log", name="luis")).to_contain_text("psst")  # it has its own text field
    submit(ana, "/cerrar")
    expect(conversation).to_have_count(0)
    submit(ana, "/bye")
    expect(ana.get_by_role("button", name="Join")).to_be_visible()
