/** A dialog. Esc closes it, and the focus goes back. */
import { element } from "../dom.js";
import { _ } from "../words.js";

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
