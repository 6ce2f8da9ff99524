"""The keyboard alone reaches everything."""

from playwright.sync_api import Page, expect


def focused(page: Page) -> str:
    return page.evaluate(
        "() => document.activeElement.getAttribute('aria-label')"
        " ?? document.activeElement.textContent.trim()"
    )


def test_tab_goes_through_everything_and_the_skip_link_leads_back(room):
    ana = room.join("ana")
    room.person("luis").direct("ana", "hola")
    expect(ana.get_by_role("button", name="luis, 1 sin leer")).to_be_visible()
    reached = []
    while (name := focused(ana)) not in reached:
        reached.append(name)
        ana.keyboard.press("Tab")
        if ana.evaluate("document.activeElement === document.body"):
            ana.keyboard.press("Tab")
    assert {
        "Mensaje para todos", "Enviar", "ana, ACTIVO", "luis, ACTIVO", "Ir al campo de texto",
        "Buscar", "General", "luis, 1 sin leer", "Estado", "Ayuda", "English", "Salir",
    } <= set(reached)  # fmt: skip
    ana.locator("#skip").focus()
    expect(ana.locator("#skip")).to_be_in_viewport()
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("textbox", name="Mensaje para todos")).to_be_focused()


def test_a_dialog_keeps_the_focus_and_gives_it_back(room):
    ana = room.join("ana")
    help_button = ana.get_by_role("button", name="Ayuda")
    help_button.focus()
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("dialog").get_by_role("button", name="Cerrar")).to_be_focused()
    ana.keyboard.press("Escape")
    expect(help_button).to_be_focused()


def test_a_drawer_takes_the_focus_and_gives_it_back(room, phone):
    ana = room.join("ana", **phone)
    for name in ("Conversaciones", "Personas"):
        opener = ana.get_by_role("button", name=name)
        opener.focus()
        ana.keyboard.press("Enter")
        expect(ana.locator(".side.open .close-drawer")).to_be_focused()
        ana.keyboard.press("Escape")
        expect(opener).to_be_focused()
