/** The dialog of the messages found. */
import { element } from "../dom.js";
import { visible, visibleInALine } from "../safetext.js";
import { speech, timeOf } from "../screen-entry.js";
import { _, format } from "../words.js";
import { openDialog } from "./dialog.js";
import { dateAndTime } from "./moments.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../entries.js").Said} Said */

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
    const today = chat.now();
    list.append(...answer.messages.map((entry) => paintFound(entry, today)).reverse());
    before = answer.oldest;
    more.hidden = !answer.more;
    state.textContent = list.childElementCount ? "" : _("No messages found.");
  }

  await searchOlder();
}

/**
 * @param {Said} entry
 * @param {Date} today
 */
function paintFound(entry, today) {
  const time = timeOf(entry, dateAndTime(entry.time, today));
  return element("article", { class: entry.hook && "hook" }, ...speech(entry), time);
}
