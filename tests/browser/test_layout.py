"""Everything fits: from 320 pixels up, and at 200 % zoom."""

import pytest
from playwright.sync_api import expect

SIZES = {
    "small phone": {"viewport": {"width": 320, "height": 568}},
    "phone on its side": {"viewport": {"width": 844, "height": 390}},
    "tablet": {"viewport": {"width": 820, "height": 1180}},
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "desktop at 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(room, message_with, size):
    ana = room.join("ana", **SIZES[size])
    luis = room.person("luis.tiene.un.nombre.muy.largo")
    luis.say("palabra" * 60)
    luis.direct("ana", "hola")
    expect(message_with(ana, "palabra")).to_be_in_viewport()
    expect(ana.get_by_role("textbox", name="Mensaje para todos")).to_be_in_viewport(ratio=1)
    expect(ana.get_by_role("button", name="Enviar")).to_be_in_viewport(ratio=1)
    expect(ana.get_by_role("status")).to_be_in_viewport(ratio=1)
    wider = "(node) => node.scrollWidth - node.clientWidth"
    assert ana.locator("html").evaluate(wider) == 0
    assert ana.locator("#log").evaluate(wider) == 0
    for side in ("Conversaciones", "Personas"):
        opener = ana.locator(".open-drawer").and_(ana.get_by_role("button", name=side))
        if opener.is_visible():
            opener.click()
        region = "navigation" if side == "Conversaciones" else "region"
        expect(ana.get_by_role(region, name=side).get_by_role("button").first).to_be_in_viewport()
        if side == "Conversaciones":
            count = ana.get_by_role(region, name=side).locator(".badge").last
            assert count.evaluate("(node) => node.clientHeight") < 30, "the count is in two lines"
            ana.get_by_role("button", name="Salir").scroll_into_view_if_needed()
            expect(ana.get_by_role("button", name="Salir")).to_be_in_viewport(ratio=1)
        ana.keyboard.press("Escape")


def test_marks_that_are_piled_up_on_a_letter_cover_no_other_message(room, message_with):
    ana = room.join("ana")
    luis = room.person("luis")
    luis.say("hola")
    luis.say("z" + "\u0301" * 500)
    piled_up = message_with(ana, "\u0301")
    box = piled_up.bounding_box()
    above = {"x": box["x"], "y": box["y"] - 60, "width": box["width"], "height": 55}
    shown = ana.screenshot(clip=above)
    piled_up.evaluate("(node) => (node.style.visibility = 'hidden')")
    assert ana.screenshot(clip=above) == shown
