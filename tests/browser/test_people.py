"""Who is here, what is known of a person, and the own status."""

import re

from playwright.sync_api import expect


def test_a_person_opens_a_dialog_with_details_and_an_offer_to_write(room):
    ana = room.join("ana")
    room.person("luis").set_status("OCUPADO")
    people = ana.get_by_role("region", name="Personas")
    person = people.get_by_role("button", name="luis, OCUPADO")
    person.click()
    dialog = ana.get_by_role("dialog", name="luis")
    expect(dialog).to_contain_text("Dirección127.0.0.1")
    expect(dialog).to_contain_text("Estado◐ OCUPADO")
    expect(dialog).to_contain_text(re.compile(r"Aquí desde\d\d:\d\d"))
    expect(dialog).to_contain_text(re.compile(r"Sin actividad\d+ s"))
    ana.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(person).to_be_focused()
    person.click()
    ana.get_by_role("button", name="Escribir a luis").click()
    expect(ana.get_by_role("log", name="luis")).to_be_visible()
    expect(ana.get_by_role("textbox", name="Mensaje para luis")).to_be_focused()


def test_the_own_status_is_asked_for_and_then_shown_as_the_server_has_it(room):
    ana, luis = room.join("ana"), room.join("luis")
    status = ana.get_by_role("combobox", name="Estado")
    expect(status.get_by_role("option")).to_have_text(["ACTIVO", "OCUPADO", "INACTIVO"])
    ana.evaluate("""() => {
      const status = document.getElementById("status");
      window.seen = [];
      new MutationObserver(() =>
        window.seen.push([status.disabled, status.getAttribute("aria-busy"), status.value]),
      ).observe(status, { attributes: true });
    }""")
    status.focus()
    status.select_option("OCUPADO")
    expect(luis.get_by_role("button", name="ana, OCUPADO")).to_be_visible()
    expect(status).to_be_enabled()
    expect(status).to_be_focused()
    seen = ana.evaluate("window.seen")
    assert seen[0] == [True, "true", "ACTIVO"]
    assert seen[-1] == [False, "false", "OCUPADO"]
    expect(status).to_have_value("OCUPADO")


def test_a_search_shows_the_messages_that_hold_the_words(room):
    ana = room.join("ana")
    luis = room.person("luis")
    for number in range(60):
        luis.say(f"pan número {number}")
    ana.get_by_role("searchbox", name="Buscar").fill("pan")
    ana.keyboard.press("Enter")
    dialog = ana.get_by_role("dialog", name="Mensajes con: pan")
    expect(dialog.get_by_role("article")).to_have_count(50)
    expect(dialog.get_by_role("article").first).to_have_text(re.compile("^luis: pan número 59"))
    dialog.get_by_role("button", name="Mensajes más antiguos").click()
    expect(dialog.get_by_role("article")).to_have_count(60)
    dialog.get_by_role("button", name="Cerrar").click()
    ana.get_by_role("textbox", name="Mensaje para todos").fill("/buscar queso")
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("dialog")).to_contain_text("No se encontraron mensajes.")


def test_the_help_lists_the_commands(room):
    ana = room.join("ana")
    ana.get_by_role("button", name="Ayuda").click()
    expect(ana.get_by_role("dialog", name="Ayuda")).to_contain_text("/estado, /status ESTADO")


def test_the_command_for_the_people_goes_to_their_list(room, phone):
    for options in ({}, phone):
        ana = room.join("ana" if options else "eva", **options)
        ana.get_by_role("textbox", name="Mensaje para todos").fill("/usuarios")
        ana.get_by_role("button", name="Enviar").click()
        expect(ana.get_by_role("region", name="Personas")).to_be_in_viewport()
        expect(ana.get_by_role("region", name="Personas").locator(":focus")).to_have_count(1)
