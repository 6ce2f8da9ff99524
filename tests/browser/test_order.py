"""Keeping order in the page: the operator's tools, and what everyone sees of them."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tertulia import Client

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SECRET = "a-secret-of-24-characters"


@pytest.fixture
def watched(start_room, tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    return start_room("--operator-secret", str(file))


@pytest.fixture
def peers():
    clients = []
    yield clients
    for client in clients:
        client.close()


def operator(room, name="ana", lang="es", **options):
    page = room.join(name, lang, path=f"/?lang={lang}#operator={SECRET}", **options)
    words = {"es": "Moderar", "en": "Keep order"}[lang]
    # The button is there before this user is an operator, but hidden.
    expect(page.locator("#chat button:not([hidden])", has_text=words)).to_have_count(1)
    return page


def say(page, text):
    page.locator("#composer").fill(text)
    page.keyboard.press("Enter")


def test_a_visit_loads_nothing_of_what_operators_need(room):
    page = room.join("ana")
    say(page, "hola")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert not [name for name in loaded if "/operator/" in name or "/order/" in name]


def test_the_link_makes_an_operator_who_keeps_the_secret_until_leaving(watched):
    luis = watched.join("luis", "en")
    ana = operator(watched)
    assert "#" not in ana.url
    expect(ana.get_by_role("log")).to_contain_text("Ahora moderas el chat. /ayuda")
    expect(luis.get_by_role("log")).to_contain_text("ana is an operator now")
    expect(luis.get_by_role("button", name="ana, ACTIVO, operator")).to_contain_text("operator")
    star = "getComputedStyle(document.querySelector('.person b'), '::before').content"
    luis.wait_for_function(f"{star}.includes('★')")  # its style sheet comes after the name
    entries = ana.context.new_cdp_session(ana).send("Page.getNavigationHistory")["entries"]
    assert not [entry["url"] for entry in entries if "#" in entry["url"]]
    ana.reload()
    expect(ana.get_by_role("button", name="Moderar")).to_be_visible()
    expect(luis.get_by_role("button", name="Keep order")).to_have_count(0)
    assert SECRET in ana.evaluate("JSON.stringify({...sessionStorage})")
    say(ana, "/salir")
    ana.get_by_role("button", name="Entrar", exact=True).click()
    expect(ana.get_by_role("button", name="ana, ACTIVO", exact=True)).to_be_visible()
    assert SECRET not in ana.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    # It goes from the address before anything else: here the page does not even begin.
    ana.route("**/commands.json", lambda route: None)
    ana.goto(f"{ana.url.partition('?')[0]}?lang=en#operator={SECRET}", wait_until="commit")
    ana.wait_for_url(lambda url: "#" not in url)


def test_the_command_asks_for_the_secret_in_a_field_that_hides_it(watched):
    ana = watched.join("ana")
    say(ana, "/operador")
    field = ana.get_by_role("dialog", name="Secreto de operador").get_by_label(
        "Secreto de operador"
    )
    expect(field).to_have_attribute("type", "password")
    expect(field).to_be_focused()
    ana.keyboard.type("wrong")
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("log")).to_contain_text("Ese no es el secreto de operador")
    say(ana, "/operador")
    expect(field).to_be_focused()
    ana.keyboard.type(SECRET)
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("button", name="Moderar")).to_be_visible()


def test_a_person_is_silenced_and_removed_from_their_dialog(watched):
    luis = watched.join("luis", "en")
    ana = operator(watched)
    ana.get_by_role("button", name="luis, ACTIVO").click()
    ana.get_by_label("Minutos").fill("10")
    ana.get_by_role("button", name="Silenciar").click()
    expect(luis.locator("#compose")).to_contain_text(
        re.compile(r"You may not speak until ([\d-]+ )?\d\d:\d\d")
    )
    say(luis, "hola")
    expect(luis.get_by_role("log")).to_contain_text("Not sent: an operator has silenced you for")
    ana.get_by_role("button", name="luis, ACTIVO, sin voz").press("Enter")
    ana.get_by_role("button", name="Devolverle la palabra").press("Enter")
    expect(luis.get_by_role("log")).to_contain_text("ana: you may speak again")
    ana.get_by_role("button", name="luis, ACTIVO", exact=True).click()
    ana.get_by_label("Motivo").fill("spam")
    ana.get_by_role("button", name="Expulsar del chat").click()
    expect(luis.get_by_role("alert")).to_have_text(
        "You were removed from the chat by ana: spam. If you are allowed to come back, use: Join"
    )
    expect(ana.get_by_role("log")).to_contain_text("luis (ana cerró su sesión: spam)")


def test_a_ban_of_several_says_whom_before(watched, peers):
    ana = operator(watched)
    say(ana, "/vetar 127.0.0.0/8")
    expect(ana.locator("#hint")).to_contain_text("esto te vetaría también a ti")
    say(ana, "/vetar luis 0")
    expect(ana.locator("#hint")).to_contain_text("Indica un tiempo")
    for number, name in enumerate(("luis", "eva"), 1):
        source = f"127.0.9.{number}"
        peers.append(Client.connect("127.0.0.1", watched.server.port, name, source=source))
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_be_visible()
    question = ana.get_by_role("dialog", name="Vetar")
    say(ana, "/vetar 127.0.9.0/24 1")
    expect(question).to_contain_text(re.compile("2 personas: .*(eva, luis|luis, eva)"))
    expect(question.get_by_role("button", name="Cancelar")).to_be_focused()
    ana.keyboard.press("Escape")
    expect(ana.locator("#hint")).to_contain_text("No se hizo nada")
    say(ana, "/vetar 127.0.9.0/24 1")
    question.get_by_role("button", name="Continuar").click()
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_have_count(0)
    say(ana, "/perdonar 127.0.9.0/24")
    expect(ana.locator("#hint")).to_contain_text("puede entrar de nuevo")
    say(ana, "/vetar 10.9.0.0/16 30 spam")
    expect(ana.locator("#hint")).to_contain_text("10.9.0.0/16 no puede entrar durante 30 minutos")
    say(ana, "/vetos")
    dialog = ana.get_by_role("dialog", name="Vetos")
    expect(dialog).to_contain_text("10.9.0.0/16")
    dialog.get_by_role("button", name="Levantar").click()
    expect(dialog.get_by_role("button", name="Levantar")).to_have_count(0)


def test_hush_and_pin_are_seen_by_everyone(watched, message_with):
    luis = watched.join("luis", "en")
    ana = operator(watched)
    say(luis, "at 8")
    message_with(ana, "at 8").get_by_role("button", name="Fijar").click()
    pinned = luis.get_by_role("region", name="Pinned message")
    expect(pinned).to_contain_text("luis: at 8")
    ana.get_by_role("button", name="Moderar").click()
    ana.get_by_role("button", name="Dejar hablar solo a los operadores").click()
    expect(luis.locator("#compose")).to_contain_text("Only operators may speak now")
    say(luis, "hola")
    expect(luis.get_by_role("log")).to_contain_text("Not sent: only operators may speak now.")
    late = watched.join("eva", "en")
    expect(late.get_by_role("region", name="Pinned message")).to_contain_text("at 8")
    say(ana, "/fijar nada")
    expect(pinned).to_be_hidden()
    say(ana, "/cerrar-sala")
    other = watched.visit("en")
    other.get_by_role("textbox", name="Your name").fill("zoe")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("Nobody new may come into this chat now")


def test_whom_one_ignores_is_kept_over_a_visit(room):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.say("uno")
    expect(ana.get_by_role("log")).to_contain_text("uno")
    say(ana, "/ignorar Luis")
    expect(ana.locator("#hint")).to_contain_text("Ya no verás lo que escriba luis. /atender luis")
    luis.say("dos")
    room.person("eva").say("tres")
    expect(ana.get_by_role("log")).to_contain_text("tres")
    expect(ana.get_by_role("log")).not_to_contain_text("dos")
    ana.reload()
    expect(ana.get_by_role("log")).to_contain_text("tres")
    expect(ana.get_by_role("log")).not_to_contain_text("uno")
    say(ana, "/atender luis")
    expect(ana.locator("#hint")).to_contain_text("Vuelves a ver lo que escribe luis")
    luis.say("cuatro")
    expect(ana.get_by_role("log")).to_contain_text("cuatro")


def test_the_attendance_is_shown_and_downloaded(watched):
    watched.person("luis").close()
    ana = operator(watched)
    say(ana, "/asistencia hoy.csv")
    dialog = ana.get_by_role("dialog", name="Quién estuvo aquí")
    expect(dialog.get_by_role("cell", name="luis")).to_be_visible()
    with ana.expect_download() as download:
        dialog.get_by_role("button", name="Descargar como CSV").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_a_program_gets_an_address_that_is_shown_once(watched):
    ana = operator(watched)
    say(ana, "/aviso-web build")
    dialog = ana.get_by_role("dialog", name="build")
    expect(dialog).to_contain_text(f"http://chat.test:{watched.server.port}/hook/")
    ana.keyboard.press("Escape")
    say(ana, "/avisos-web")
    ana.get_by_role("dialog", name="Programas").get_by_role("button", name="Quitar: build").click()
    expect(ana.locator("#hint")).to_contain_text("build")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_axe_finds_nothing_in_the_operators_tools(watched, phone, size):
    watched.join("luis")
    ana = operator(watched, **(phone if size == "phone" else {}))
    ana.evaluate(AXE.read_text())
    dialogs = ["/fijar", "/info luis", "/vetos", "/asistencia", "/operador"]
    ana.locator("#composer").fill("hola")
    ana.locator("#send").click()
    expect(ana.get_by_role("log").get_by_role("article")).to_contain_text("✓")
    for line in dialogs:
        ana.locator("#composer").fill(line)
        ana.locator("#send").click()
        what = "region" if line == "/fijar" else "dialog"
        name = "Mensaje fijado" if line == "/fijar" else None
        if line != "/operador":
            expect(ana.get_by_role(what, name=name).last).to_be_visible()
        found = ana.evaluate("axe.run().then((result) => result.violations)")
        nodes = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        assert nodes == [], line
        ana.keyboard.press("Escape")
