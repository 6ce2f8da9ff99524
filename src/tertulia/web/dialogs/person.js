/** The dialog of a person: what the server knows, and what can be done. */
import { element } from "../dom.js";
import { statusWords } from "../event-words.js";
import { visible, visibleInALine } from "../safetext.js";
import { openDialog, table } from "./dialog.js";
import { dateAndTime, duration } from "./moments.js";
import { _, format } from "../words.js";

/** @typedef {import("../chat.js").Chat} Chat */

/**
 * Show what the server knows about a person, and offer to write.
 * @param {Chat} chat
 * @param {string} name
 * @param {(name: string) => void} onWrite
 * @param {((dialog: any) => Node[])} [actions] further ones, for an operator
 */
export async function showPerson(chat, name, onWrite, actions = () => []) {
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
    dialog.append(button, ...actions(dialog));
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
