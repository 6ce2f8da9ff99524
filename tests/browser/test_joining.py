"""Entering and leaving: the first visit, refusals, a reload, the language."""

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize(
    ("lang", "field", "button"), [("es", "Tu nombre", "Entrar"), ("en", "Your name", "Join")]
)
def test_the_first_visit_asks_only_for_a_name(room, lang, field, button):
    page = room.visit(lang)
    expect(page.get_by_role("textbox")).to_have_count(1)
    expect(page.get_by_role("textbox", name=field)).to_be_focused()
    page.keyboard.type("ana")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("log", name="General")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", lang)


def test_a_refused_name_is_explained_and_another_one_gets_in(room):
    room.person("ana")
    page = room.visit()
    page.get_by_role("textbox", name="Tu nombre").fill("ana")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("ana")
    expect(page.get_by_role("textbox", name="Tu nombre")).to_be_focused()
    page.get_by_role("textbox", name="Tu nombre").fill("eva")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_be_visible()


def test_the_name_is_remembered_for_the_next_visit(room):
    page = room.join("ana")
    page.get_by_role("button", name="Salir").click()
    expect(page.get_by_role("textbox", name="Tu nombre")).to_have_value("ana")
    page.reload()
    expect(page.get_by_role("textbox", name="Tu nombre")).to_have_value("ana")


def test_a_reload_takes_the_session_over(room, message_with):
    page = room.join("ana")
    page.keyboard.type("sigo aquí")
    page.keyboard.press("Enter")
    expect(message_with(page, "sigo aquí")).to_contain_text("entregado")
    page.reload()
    expect(message_with(page, "sigo aquí")).to_have_count(1)


def test_who_leaves_is_gone_for_the_others(room):
    ana, luis = room.join("ana"), room.join("luis")
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_be_visible()
    luis.get_by_role("button", name="Salir").click()
    expect(luis.get_by_role("button", name="Entrar", exact=True)).to_be_visible()
    expect(ana.get_by_role("button", name="luis, ACTIVO")).to_have_count(0)
    expect(ana.get_by_role("log")).to_contain_text(re.compile("luis (entró y )?salió"))


def test_the_language_follows_the_address_and_changes_every_word_at_once(room):
    page = room.visit("es", path="/?lang=en")
    page.get_by_role("textbox", name="Your name").fill("ana")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Hello, ana")
    page.get_by_role("button", name="Español").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("log")).to_contain_text("Hola, ana")
    expect(page.get_by_role("navigation", name="Conversaciones")).to_be_visible()
    expect(page.get_by_role("region", name="Personas")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Conectado")
    assert not re.search(
        "Hello|Search|Help|Leave|Message|People", page.locator("body").inner_text()
    )
