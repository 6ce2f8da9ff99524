/** The dialogs: a person, the messages found, the help. Esc closes them, and the focus goes back. */
import { element } from "./dom.js";
import { statusWords } from "./event-words.js";
import { helpRows } from "./commands.js";
import { visible, visibleInALine } from "./safetext.js";
import { paintFound } from "./screen-entry.js";
import { dateAndTime, duration } from "./times.js";
import { _, format } from "./words.js";

/** @typedef {import("./chat.js").Chat} Chat */

/**
 * Show what the server knows about a person, and offer to write.
 * @param {Chat} chat
 * @param {string} name
 * @param {(name: string) => void} onWrite
 */
export async function showPerson(chat, name, onWrite) {
  const shown = visibleInALine(name);
  const details = element("div", { "aria-live": "polite" }, "…");
  const dialog = openDialog(shown, details);
  if (name !== chat.me.name) {
    const write = () => {
      dialog.close();
      onWrite(name);
    };
    const words = format(_("Write to {name}"), { name: shown });
    const button = element("button", { type: "button", class: "primary", click: write }, words);
    dialog.append(button);
    button.focus();
  }
  const info = await chat.info(name);
  if ("error" in info) {
    details.textContent = visible(info.error());
    return;
  }
  details.replaceChildren(
    table([
      [_("Status"), statusWords(info.status)],
      [_("Address"), visibleInALine(info.address)],
      [_("Here since"), dateAndTime(info.since, chat.now())],
      [_("Idle for"), duration(info.idle)],
    ]),
  );
}

/**
 * Search for words and show the messages that hold them, the newest first.
 * @param {Chat} chat
 * @param {string} words
 */
export async function showFound(chat, words) {
  const title = format(_("Messages with: {words}"), { words: visibleInALine(words) });
  const list = element("div", { class: "found" });
  const state = element("p", { "aria-live": "polite" }, "…");
  const click = () => searchOlder();
  const more = element("button", { type: "button", hidden: true, click }, _("Older messages"));
  const dialog = openDialog(title, list, state, more);
  dialog.classList.add("wide");
  /** @type {number | undefined} */
  let before;

  async function searchOlder() {
    const answer = await chat.search(words, before);
    if ("error" in answer) {
      state.textContent = visible(answer.error());
      more.hidden = before === undefined;
      return;
    }
    const found = answer.messages.map((entry) => paintFound(entry, chat.now()));
    list.append(...found.reverse());
    before = answer.messages[0]?.seq ?? undefined;
    more.hidden = !answer.more;
    state.textContent = list.childElementCount ? "" : _("No messages found.");
  }

  await searchOlder();
}

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
function table(rows) {
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
function openDialog(title, ...content) {
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
