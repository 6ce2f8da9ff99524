/** Who has seen a message: a dialog that stays up to date until it is closed. */
import { element, setText } from "../dom.js";
import { connectionWords, speakerWords } from "../event-words.js";
import { requestRefused, unanswered } from "../explain.js";
import { visible, visibleInALine } from "../safetext.js";
import { _, format } from "../words.js";
import { openDialog } from "./dialog.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../entries.js").Said} Said */
/** @typedef {{seen: string[], not_seen: string[], unknown: string[]}} SeenBy */

const EVERY_MS = 2_000; // the server counts what a person has seen as often

/**
 * Show who has seen a message of the general chat; return words if there is none to show.
 * @param {Chat} chat
 * @param {number} wanted its number; 0 is the last one of this user
 */
export function showSeen(chat, wanted) {
  if (!wanted && chat.current !== "") {
    return () => _("You can see who has seen a message only for messages to everyone.");
  }
  const { entries } = chat.conversations[0];
  const entry = /** @type {Said | undefined} */ (
    entries.findLast(
      (one) => one.kind === "said" && (wanted ? one.seq === wanted : one.own && one.seq !== null),
    )
  );
  const seq = wanted || entry?.seq;
  if (!seq) return () => _("You have not said anything to everyone yet.");

  const quoted = entry ? `${speakerWords(entry.sender, entry.hook)}: ${visible(entry.text)}` : "";
  const quote = element("blockquote", { dir: "auto", hidden: !entry }, quoted);
  const lists = element("div", { class: "seen-by", "aria-live": "polite" }, element("p", {}, "…"));
  const problem = element("p", { class: "faint" });
  const dialog = openDialog(_("Who has seen this?"), quote, lists, problem);

  /** @param {any} answer */
  function show(answer) {
    if (answer?.type === "seen_by") {
      showLines(lists, seenLines(answer));
      return;
    }
    showLines(lists, [answer === null ? unanswered() : refused(answer)]);
    if (answer?.code === "not_found" || answer?.code === "not_operator") clearInterval(timer);
  }

  function look() {
    const { connection, stage } = chat;
    if (stage !== "inside") dialog.close(); // an operator has removed this user, for example
    const isConnected = connection.state === "connected";
    setText(problem, isConnected ? "" : connectionWords(connection, performance.now()));
    if (!document.hidden) chat.watch({ type: "seen_by", seq }, show);
  }

  const timer = setInterval(look, EVERY_MS);
  dialog.addEventListener("close", () => clearInterval(timer));
  look();
  return null;
}

/**
 * Return a line for those who have seen a message, those who have not, and the others.
 * @param {SeenBy} answer
 */
export function seenLines({ seen, not_seen: notSeen, unknown }) {
  const lines = [
    line(_("Seen ({count}): {names}"), seen),
    line(_("Not seen yet ({count}): {names}"), notSeen),
    line(_("Unknown, because their programs do not report it ({count}): {names}"), unknown),
  ].filter(Boolean);
  return lines.length ? lines : [_("Nobody else is here.")];
}

/**
 * @param {string} text
 * @param {string[]} names
 */
function line(text, names) {
  const shown = names.map(visibleInALine).sort((one, other) => one.localeCompare(other));
  return names.length ? format(text, { count: names.length, names: shown.join(", ") }) : "";
}

/**
 * Show lines; the same ones are not said again by a screen reader.
 * @param {HTMLElement} parent
 * @param {string[]} lines
 */
function showLines(parent, lines) {
  const shown = [...parent.children].map((one) => one.textContent);
  if (lines.join("\n") === shown.join("\n")) return;
  parent.replaceChildren(...lines.map((words) => element("p", { dir: "auto" }, words)));
}

/** @param {{code: string, message?: string}} error */
function refused(error) {
  switch (error.code) {
    case "not_operator":
      return _("You can ask this only about your own messages. Operators can ask it about all messages.");
    case "not_found":
      return _("There is no message with this number.");
    default:
      return visible(requestRefused(error, { type: "search" }));
  }
}
