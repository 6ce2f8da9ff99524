/**
 * What happens in the chat, in words: people who join and leave, statuses, the connection.
 * The same words as in the terminal (`chat/event_words.py`). No DOM, no network.
 */
import { orderWords } from "./order-words.js";
import { visibleInALine } from "./safetext.js";
import { _, format, ngettext, pgettext } from "./words.js";

/** @typedef {import("./chat.js").Chat} Chat */
/** @typedef {import("./entries.js").Moved} Moved */
/** @typedef {import("./entries.js").Change} Change */

/**
 * The shape of each status; the colour is never the only difference.
 * @type {Record<string, string>}
 */
export const SHAPES = { ACTIVO: "●", OCUPADO: "◐", INACTIVO: "○" };

const MAX_NAMES = 4; // in a list of people; the others are counted
const SOUNDS_LIKE_I = /^h?[ií](?![aeoáéó])/; // Spanish says "e" before it instead of "y"

/**
 * Return a status as a shape and a word.
 * @param {string} status
 */
export function statusWords(status) {
  return `${SHAPES[status] ?? "?"} ${status}`;
}

/**
 * Return who says a message; the name of a hook says that it is one.
 * @param {string} name
 * @param {boolean} [hook]
 */
export function speakerWords(name, hook) {
  const shown = visibleInALine(name);
  return hook ? format(_("{name} (hook)"), { name: shown }) : shown;
}

/**
 * Return in one line who joined, left or changed status.
 * @param {Moved} moved
 */
export function movementWords(moved) {
  const people = new Map();
  for (const [name, change] of moved.people) {
    const [movement, words] = movementOf(visibleInALine(name), change);
    people.set(movement, [...(people.get(movement) ?? []), words]);
  }
  const parts = [...people].map(([movement, named]) =>
    format(MOVEMENTS[movement](named.length), { people: peopleWords(named) }),
  );
  if (moved.others) {
    const text = ngettext("{count} more change", "{count} more changes", moved.others);
    parts.push(format(text, { count: moved.others }));
  }
  return parts.join("; ");
}

/** @type {Record<string, (count: number) => string>} */
const MOVEMENTS = {
  joined: (count) => ngettext("{people} joined", "{people} joined", count),
  cameBack: (count) => ngettext("{people} came back", "{people} came back", count),
  left: (count) => ngettext("{people} left", "{people} left", count),
  cameAndWent: (count) => ngettext("{people} joined and left", "{people} joined and left", count),
  changedStatus: () => "{people}", // the new status is part of each name
};

/**
 * @param {string} name
 * @param {Change} change
 */
function movementOf(name, change) {
  if (change.isHere && !change.wasHere) return ["joined", name];
  if (!change.isHere && change.wasHere) {
    const reason = visibleInALine(leftWords(change.left));
    return ["left", reason ? `${name} (${reason})` : name];
  }
  if (!change.isHere) return ["cameAndWent", name];
  if (change.left) return ["cameBack", name];
  return ["changedStatus", `${name} ${change.status ? statusWords(change.status) : "?"}`];
}

/** @param {string[]} people */
function peopleWords(people) {
  let named = people;
  if (named.length > MAX_NAMES + 1) {
    const count = named.length - MAX_NAMES;
    const others = format(ngettext("{count} other", "{count} others", count), { count });
    named = [...named.slice(0, MAX_NAMES), others];
  }
  if (named.length === 1) return named[0];
  const last = named[named.length - 1];
  const text = SOUNDS_LIKE_I.test(last.toLowerCase())
    ? pgettext("before the sound of an i", "{some} and {last}")
    : _("{some} and {last}");
  return format(text, { some: named.slice(0, -1).join(", "), last });
}

/** @param {any} event of the type left */
function leftWords(event) {
  switch (event.reason) {
    case "quit":
      return "";
    case "lost":
      return _("connection lost");
    case "timeout":
      return _("stopped answering");
    case "slow":
      return _("connection too slow");
    case "flood":
      return _("sent too many messages at once");
    case "protocol":
      return _("the program sent invalid data");
    case "kicked":
      return orderWords((words) => words.removedWords(event));
    case "replaced":
      return _("came back with another connection");
    default:
      return event.reason;
  }
}

/**
 * Return the state of the connection in words; `now` is a `performance.now()`.
 * @param {Chat["connection"]} connection
 * @param {number} now
 */
export function connectionWords(connection, now) {
  if (connection.state === "connected") return _("Connected");
  if (connection.state === "connecting") return _("Not connected… Trying again");
  const seconds = Math.max(1, Math.ceil((Number(connection.retryAt) - now) / 1000));
  return format(_("Not connected… Trying again in {seconds} s"), { seconds });
}
