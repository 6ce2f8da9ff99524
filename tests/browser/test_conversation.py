"""Writing and reading: to everyone, to one person, mentions, drafts, texts that are only text."""

import re

from playwright.sync_api import expect

WRITE = "Mensaje para todos"


def test_a_message_reaches_everyone_and_begins_with_sender_and_text(room, message_with):
    ana, luis = room.join("ana"), room.join("luis", "en")
    ana.get_by_role("textbox", name=WRITE).fill("hola a todos")
    ana.get_by_role("button", name="Enviar").click()
    expect(message_with(luis, "hola")).to_have_text(re.compile(r"^ana: hola a todos \d\d:\d\d$"))
    expect(message_with(ana, "hola")).to_have_text(
        re.compile(r"^ana: hola a todos \d\d:\d\d✓ entregado$")
    )


def test_shift_enter_begins_a_line_and_enter_sends_them_all_as_one_message(room, message_with):
    ana = room.join("ana")
    ana.keyboard.type("uno")
    ana.keyboard.press("Shift+Enter")
    ana.keyboard.type("dos")
    expect(ana.get_by_role("textbox", name=WRITE)).to_have_value("uno\ndos")
    ana.keyboard.press("Enter")
    expect(message_with(ana, "uno").locator(".text")).to_have_text("uno\ndos", use_inner_text=True)
    expect(ana.get_by_role("textbox", name=WRITE)).to_have_value("")


def test_the_enter_of_an_input_method_sends_nothing(room):
    ana = room.join("ana")
    ana.keyboard.type("にほん")
    composing = {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
    ana.get_by_role("textbox", name=WRITE).dispatch_event("keydown", composing)
    expect(ana.get_by_role("textbox", name=WRITE)).to_have_value("にほん")


def test_on_a_touch_keyboard_enter_begins_a_line_and_the_button_sends(room, phone, message_with):
    ana = room.join("ana", **phone)
    ana.get_by_role("textbox", name=WRITE).fill("uno")
    ana.keyboard.press("Enter")
    ana.keyboard.type("dos")
    expect(ana.get_by_role("textbox", name=WRITE)).to_have_value("uno\ndos")
    ana.get_by_role("button", name="Enviar").click()
    expect(message_with(ana, "dos")).to_be_visible()


def test_direct_messages_are_a_conversation_with_a_count(room, message_with):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.direct("ana", "psst")
    luis.direct("ana", "¿pastel?")
    conversations = ana.get_by_role("navigation", name="Conversaciones")
    expect(conversations.get_by_role("button", name="luis, 2 sin leer")).to_be_visible()
    expect(ana).to_have_title("(2) tertulia")
    expect(ana.locator("#icon")).to_have_attribute("href", "icon-unread.svg")
    conversations.get_by_role("button", name="luis").click()
    expect(ana.get_by_role("log", name="luis")).to_contain_text("¿pastel?")
    expect(ana.get_by_role("textbox", name="Mensaje para luis")).to_be_focused()
    expect(ana).to_have_title("tertulia")
    expect(ana.locator("#icon")).to_have_attribute("href", "icon.svg")
    expect(ana.locator("#subtitle")).to_have_text("● ACTIVO · solo lo leen ustedes dos")
    ana.keyboard.type("a las cuatro")
    ana.keyboard.press("Enter")
    expect(message_with(ana, "a las cuatro")).to_contain_text("entregado")
    ana.get_by_role("button", name="Cerrar la conversación").click()
    expect(ana.get_by_role("log", name="General")).to_be_visible()
    expect(ana.get_by_role("log")).not_to_contain_text("psst")
    expect(conversations.get_by_role("button")).to_have_count(1)


def test_a_message_to_somebody_who_left_can_be_sent_again(room, message_with):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.direct("ana", "adiós")
    ana.get_by_role("navigation").get_by_role("button", name="luis").click()
    luis.close()
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_have_count(0)
    ana.keyboard.type("¿sigues ahí?")
    ana.keyboard.press("Enter")
    failed = message_with(ana, "¿sigues ahí?")
    expect(failed).to_contain_text("No se entregó")
    room.person("luis")
    failed.get_by_role("button", name="Enviar otra vez").click()
    expect(failed).to_contain_text("✓ entregado")


def test_a_mention_is_marked(room, message_with):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.say("ANA, mira esto")
    luis.say("anabel no es nadie")
    expect(message_with(ana, "mira")).to_have_class(re.compile("mention"))
    expect(message_with(ana, "anabel")).not_to_have_class(re.compile("mention"))


def test_a_text_is_only_text(room, message_with):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.say("<b>no</b> <img src=x onerror=alert(1)> \u202eal revés")
    expect(message_with(ana, "<b>no</b>")).to_contain_text("<img src=x onerror=alert(1)> <U+202E>")
    luis.say("mira (http://192.168.1.20/a?b=1), y javascript:alert(1)")
    link = message_with(ana, "mira").get_by_role("link")
    expect(link).to_have_count(1)
    expect(link).to_have_attribute("href", "http://192.168.1.20/a?b=1")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_runs_of_one_speaker_and_joins_are_folded(room, message_with):
    ana = room.join("ana")
    expect(ana.locator(".event").last).to_contain_text("Hola, ana")
    people = [room.person(name) for name in ("luis", "eva", "marta")]
    expect(ana.locator(".event").last).to_contain_text("luis, eva y marta entraron")
    people[0].say("uno")
    people[0].say("dos")
    people[1].say("tres")
    expect(message_with(ana, "dos").locator(".sender")).to_have_css("position", "absolute")
    expect(message_with(ana, "tres").locator(".sender")).to_have_css("position", "static")
    expect(message_with(ana, "dos")).to_have_text(re.compile("^luis: dos"))


def test_each_conversation_keeps_its_draft_over_a_reload_too(room):
    ana = room.join("ana")
    room.person("luis").direct("ana", "hola")
    ana.keyboard.type("para todos")
    luis = ana.get_by_role("navigation").get_by_role("button", name="luis")
    luis.click()
    expect(ana.get_by_role("textbox", name="Mensaje para luis")).to_have_value("")
    ana.keyboard.type("para luis")
    ana.get_by_role("navigation").get_by_role("button", name="General").click()
    expect(ana.get_by_role("textbox", name=WRITE)).to_have_value("para todos")
    ana.reload()
    expect(ana.get_by_role("textbox", name=WRITE)).to_have_value("para todos")


def test_tab_completes_names_and_commands(room):
    ana = room.join("ana")
    room.person("luis")
    room.person("lucía")
    field = ana.get_by_role("textbox", name=WRITE)
    expect(ana.get_by_role("button", name="lucía, ACTIVO")).to_be_visible()
    ana.keyboard.type("@lu")
    ana.keyboard.press("Tab")
    expect(field).to_have_value(re.compile("^@lu(is|cía) $"))
    first = field.input_value()
    ana.keyboard.press("Tab")
    expect(field).to_have_value("@lucía " if first == "@luis " else "@luis ")
    field.fill("/est")
    ana.keyboard.press("Tab")
    expect(field).to_have_value("/estado ")
    field.fill("")
    ana.keyboard.press("Tab")
    expect(field).not_to_be_focused()


def test_a_command_that_cannot_be_is_explained_and_stays(room):
    ana = room.join("ana")
    ana.keyboard.type("/nada")
    ana.keyboard.press("Enter")
    expect(ana.locator("#hint")).to_contain_text("No existe el comando /nada")
    expect(ana.get_by_role("textbox", name=WRITE)).to_have_value("/nada")
    ana.get_by_role("textbox", name=WRITE).fill("/estado ocupado")
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("combobox", name="Estado")).to_have_value("OCUPADO")


def test_new_messages_are_announced_once_and_loaded_ones_are_not(room, message_with):
    luis = room.person("luis")
    luis.say("de antes")
    ana = room.join("ana")
    expect(message_with(ana, "de antes")).to_be_visible()
    luis.say("hola")
    announcer = ana.locator("#announcer")
    expect(announcer).to_have_text("luis: hola")
    luis.direct("ana", "secreto")
    expect(announcer.locator("p").last).to_have_text("Mensaje directo de luis")
    expect(announcer.locator("p")).to_have_count(2)


def test_the_theme_can_be_chosen(room):
    ana = room.join("ana", color_scheme="dark")
    dark = ana.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
    for command, is_dark in (("/tema", False), ("/tema", True), ("/tema claro", False)):
        ana.keyboard.type(command)
        ana.keyboard.press("Enter")
        expect(ana.locator("html")).to_have_attribute("data-theme", "dark" if is_dark else "light")
        shown = expect(ana.locator("body"))
        (shown.to_have_css if is_dark else shown.not_to_have_css)("background-color", dark)
    ana.keyboard.type("/tema auto")
    ana.keyboard.press("Enter")
    expect(ana.locator("html")).to_have_attribute("data-theme", "")


def test_the_sounds_can_be_chosen(room):
    ana = room.join("ana")
    ana.keyboard.type("/avisos menciones")
    ana.keyboard.press("Enter")
    expect(ana.locator("#hint")).to_have_text("Las menciones y los mensajes directos suenan.")


def test_the_hint_about_a_message_to_another_conversation_says_so_if_it_fails(room):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.direct("ana", "hola")
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_be_visible()
    luis.close()
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_have_count(0)
    ana.get_by_role("textbox", name="Mensaje para todos").fill("@luis psst")
    ana.keyboard.press("Enter")
    expect(ana.locator("#hint")).to_contain_text("No se entregó")
