/** The dialogs. Esc closes them, and the focus goes back. Those for persons and messages come later. */
import { helpRows } from "./commands.js";
import { element } from "./dom.js";
import { _ } from "./words.js";

/** Show what can be typed and pressed, and what the signs mean. */
export function showHelp() {
  const parts = [
    { title: _("What you can type"), rows: helpRows() },
    { title: _("Keys"), rows: keyRows() },
    { title: _("Symbols"), rows: signRows() },
  ];
  const content = parts.flatMap(({ title, rows }) => [element("h3", {}, title), table(rows)]);
  openDialog(_("Help"), ...content).classList.add("wide");
}

function keyRows() {
  return [
    [_("Enter"), _("send; in a list, choose")],
    ["Shift+Enter", _("start a new line")],
    ["Tab", _("complete a name or a command; press again for the next one")],
    ["Esc", _("close a dialog")],
  ];
}

function signRows() {
  return [
    ["● ◐ ○", "ACTIVO, OCUPADO, INACTIVO"],
    ["…", _("on its way")],
    ["✓", _("delivered")],
    ["✗", _("not delivered")],
    ["?", _("may not have been delivered; also every status while there is no connection")],
    ["!", _("contains your name; in the list, an unread mention or direct message")],
  ];
}

/** @param {string[][]} rows */
export function table(rows) {
  return element(
    "dl",
    {},
    ...rows.map(([left, right]) =>
      element("div", {}, element("dt", { dir: "auto" }, left), element("dd", {}, right)),
    ),
  );
}

/**
 * @param {string} title
 * @param {...Node} content
 * @returns {any} the dialog
 */
export function openDialog(title, ...content) {
  const close = () => dialog.close();
  const label = _("Close");
  const heading = element("h2", { id: "dialog-title", dir: "auto" }, title);
  /** @type {any} */
  const dialog = element(
    "dialog",
    { "aria-labelledby": "dialog-title", close: () => dialog.remove() },
    element(
      "div",
      { class: "dialog-head" },
      heading,
      element("button", { type: "button", class: "plain icon", "aria-label": label, click: close }, "✕"),
    ),
    ...content,
  );
  dialog.addEventListener("click", (/** @type {Event} */ event) => {
    if (event.target === dialog) close(); // beside it, on the backdrop
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
