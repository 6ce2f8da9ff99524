/** The dialog of the messages found. */
import { element } from "../dom.js";
import { visible, visibleInALine } from "../safetext.js";
import { openDialog } from "./dialog.js";
import { paintFound } from "../screen-entry.js";
import { _, format } from "../words.js";

/** @typedef {import("../chat.js").Chat} Chat */

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
    const found = answer.messages.map((entry) => {
      const painted = paintFound(entry, chat.now());
      painted.classList.toggle("hook", entry.hook);
      return painted;
    });
    list.append(...found.reverse());
    before = answer.oldest;
    more.hidden = !answer.more;
    state.textContent = list.childElementCount ? "" : _("No messages found.");
  }

  await searchOlder();
}
