"""A chat that asks for a code, and one that holds names."""

import pytest
from playwright.sync_api import expect

from tertulia import Client, RegistrationRefused

CODE = "able-baker-cat"
FIELDS = {"es": ("Tu nombre", "Código"), "en": ("Your name", "Code")}


def ask_for_code(room, lang="es", path="/"):
    """Open the page of a chat with a code, and give a name."""
    page = room.visit(lang, path=path)
    expect(page.get_by_role("textbox")).to_have_count(1)
    page.get_by_role("textbox", name=FIELDS[lang][0]).fill("ana")
    page.keyboard.press("Enter")
    return page


def test_a_field_for_the_code_appears_only_where_the_server_asks_for_one(start_room):
    room = start_room("--code", CODE)
    for lang, (_, field) in FIELDS.items():
        page = ask_for_code(room, lang)
        code = page.get_by_role("textbox", name=field)
        expect(code).to_be_focused()
        page.keyboard.type("able baker cut")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(
            {"es": "no es el código", "en": "not the code"}[lang]
        )
        code.fill("Able Baker Cat")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log")).to_be_visible()
        page.get_by_role("button", name={"es": "Salir", "en": "Leave"}[lang]).click()
        expect(page.get_by_role("textbox")).to_have_count(1)
        page.reload()
        expect(page.get_by_role("textbox")).to_be_focused()
        page.keyboard.press("Enter")  # the name and the code are remembered
        expect(page.get_by_role("log")).to_be_visible()
        page.get_by_role("button", name={"es": "Salir", "en": "Leave"}[lang]).click()


def test_the_link_brings_the_code_and_does_not_keep_it(start_room):
    room = start_room("--code", "Mañana a las 8")
    page = ask_for_code(room, path="/?lang=es#code=ma%C3%B1ana%20a%20las%208")
    expect(page.get_by_role("log")).to_be_visible()
    assert "#" not in page.url
    assert page.url.endswith("/?lang=es")
    page.reload()  # takes the session over, with the code
    expect(page.get_by_role("log")).to_be_visible()


def test_a_wrong_code_of_a_link_can_be_corrected_and_another_link_followed(start_room):
    room = start_room("--code", CODE)
    page = ask_for_code(room, path="/#code=old")
    expect(page.get_by_role("textbox", name="Código")).to_have_value("old")
    page.evaluate(f"location.hash = 'code={CODE}'")
    expect(page.get_by_role("textbox", name="Código")).to_have_value(CODE)
    page.get_by_role("button", name="Entrar", exact=True).click()
    expect(page.get_by_role("log")).to_be_visible()


def test_after_too_many_wrong_codes_the_page_says_how_long_to_wait(start_room):
    room = start_room("--code", CODE)
    for _ in range(5):
        with pytest.raises(RegistrationRefused):
            Client.connect("127.0.0.1", room.server.port, "eva", code="no")
    page = ask_for_code(room)
    expect(page.get_by_role("alert")).to_contain_text("demasiados intentos")
    expect(page.get_by_role("alert")).to_contain_text("segundos")


def test_a_name_is_held_for_the_browser_that_used_it(start_room):
    room = start_room("--hold-names", "30")
    ana = room.join("ana")
    ana.get_by_role("button", name="Salir").click()
    other = room.visit()
    other.get_by_role("textbox", name="Tu nombre").fill("Ána")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("reservado para otra persona")
    expect(other.get_by_role("textbox", name="Tu nombre")).to_have_value("Ána2")
    ana.reload()
    ana.get_by_role("textbox", name="Tu nombre").fill("ana")
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("log")).to_be_visible()
