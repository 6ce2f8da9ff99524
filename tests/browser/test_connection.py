"""A connection that is lost: what is shown meanwhile, and what comes back."""

import re

from playwright.sync_api import expect


def test_without_a_connection_no_status_is_known_and_all_comes_back(room, message_with):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.say("antes")
    expect(message_with(ana, "antes")).to_be_visible()
    luis.close()
    room.server.kill()
    status = ana.get_by_role("status")
    expect(status).to_have_text(re.compile(r"^Sin conexión… Nuevo intento en \d+ s"))
    expect(ana.get_by_role("button", name="ana, ?", exact=True)).to_be_visible()
    expect(ana.get_by_role("combobox", name="Estado")).to_be_disabled()
    expect(ana.get_by_role("combobox", name="Estado")).to_have_value("?")
    expect(ana.locator("#announcer p").last).to_contain_text("Sin conexión…")
    field = ana.get_by_role("textbox", name="Mensaje para todos")
    field.fill("mientras tanto")
    ana.keyboard.press("Enter")
    expect(ana.locator("#hint")).to_contain_text("Ahora no hay conexión.")
    room.server.start()
    room.person("luis").say("después")
    expect(status).to_have_text("Conectado", timeout=20_000)
    expect(ana.locator("#hint")).to_be_empty()
    expect(field).to_have_value("mientras tanto")
    expect(status).to_have_accessible_name("Conectado")
    expect(ana.locator("#announcer")).to_contain_text("Conectado")
    expect(message_with(ana, "después")).to_have_count(1)
    expect(message_with(ana, "antes")).to_have_count(1)
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_be_visible()
    texts = ana.get_by_role("log").get_by_role("article").all_inner_texts()
    order = [word for text in texts for word in ("antes", "después") if word in text]
    assert order == ["antes", "después"]


def test_a_second_tab_is_another_client(room):
    room.join("ana")
    other = room.visit()
    other.get_by_role("textbox", name="Tu nombre").fill("ana")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("ana")


def test_who_joins_while_the_server_is_away_is_told_and_can_try_again(room):
    ana = room.visit()
    room.server.kill()
    ana.get_by_role("textbox", name="Tu nombre").fill("ana")
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("alert")).to_contain_text(f"puerto {room.server.port}")
    room.server.start()
    ana.get_by_role("button", name="Entrar", exact=True).click()
    expect(ana.get_by_role("log")).to_be_visible()
