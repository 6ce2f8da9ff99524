/** Paint one entry of a conversation. Everything from the network is made safe to show here. */
import { element } from "./dom.js";
import { movementWords, speakerWords } from "./event-words.js";
import { splitAddresses, visible, visibleInALine } from "./safetext.js";
import { clockTime, dayWords } from "./times.js";
import { _ } from "./words.js";

/** @typedef {import("./entries.js").Entry} Entry */
/** @typedef {import("./entries.js").Said} Said */
/**
 * What a person can do with a message of their own: send it again, and see who has seen it.
 * @typedef {{sendAgain: (key: string) => void, showSeen: (seq: number) => void}} Actions
 */

const NAME_STYLES = 6; // the classes name-0, name-1, …
const BLANK_LINES = /\n\s*\n\s*\n/g;

/**
 * Return an element for an entry. `continues`: the same person wrote the message before it.
 * @param {{entry: Entry, continues: boolean}} item
 * @param {Actions} actions
 */
export function paintEntry({ entry, continues }, actions) {
  switch (entry.kind) {
    case "said":
      return paintMessage(entry, continues, actions);
    case "moved":
      return paintEvent(entry, movementWords(entry));
    case "told":
      return paintEvent(entry, visible(entry.words()));
    case "day":
      return element("div", { class: "day" }, element("span", {}, dayWords(entry.day)));
  }
}

/**
 * Return the style of a name, always the same one for the same name.
 * @param {string} name
 */
export function nameStyle(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + Number(character.codePointAt(0))) % 9973;
  return `name-${sum % NAME_STYLES}`;
}

/**
 * @param {Said} entry
 * @param {boolean} continues
 * @param {Actions} actions
 */
function paintMessage(entry, continues, actions) {
  const classes = ["said", nameStyle(entry.sender), `is-${entry.delivery}`];
  if (entry.own) classes.push("own");
  if (entry.mention) classes.push("mention");
  if (continues) classes.push("continues");
  const painted = element(
    "article",
    { class: classes.join(" "), "data-initial": entry.hook ? "#" : initial(entry.sender) },
    ...speech(entry),
    timeOf(entry, clockTime(entry.time)),
  );
  if (entry.own) painted.append(...delivery(entry, actions));
  return painted;
}

/** @param {Said} entry */
export function speech({ sender, text, hook }) {
  return [
    element("bdi", { class: "sender" }, speakerWords(sender, hook)),
    element("span", { class: "unseen" }, ": "),
    element("div", { class: "text", dir: "auto" }, ...withLinks(text.replace(BLANK_LINES, "\n\n"))),
    " ",
  ];
}

/**
 * @param {{time: Date | null}} entry
 * @param {string} words
 */
export function timeOf({ time }, words) {
  return element("time", { datetime: time?.toISOString() ?? false }, words);
}

/**
 * @param {Said} entry
 * @param {Actions} actions
 */
function delivery({ key, delivery, why, seq }, { sendAgain, showSeen }) {
  const [sign, words] = {
    sending: ["…", _("on its way")],
    delivered: ["✓", _("delivered")],
    failed: ["✗", _("not delivered")],
    unknown: ["?", _("may not have been delivered")],
  }[delivery];
  const title = seq === null ? words : words + ". " + _("Who has seen this?");
  const mark = element(
    seq === null ? "span" : "button",
    {
      class: "mark plain",
      title,
      ...(seq !== null && { type: "button", "aria-label": title, click: () => showSeen(seq) }),
    },
    element("span", { "aria-hidden": "true" }, sign),
    element("span", { class: "unseen" }, ` ${words}`),
  );
  if (delivery === "sending" || delivery === "delivered") return [mark];
  const again = element("button", { type: "button", click: () => sendAgain(key) }, _("Send again"));
  const reason = why ? visible(why()) : "";
  return [mark, element("p", { class: "failure" }, reason, " ", again)];
}

/**
 * @param {{time: Date | null}} entry
 * @param {string} words
 */
function paintEvent(entry, words) {
  return element(
    "p",
    { class: "event" },
    element("span", { dir: "auto" }, words),
    " ",
    timeOf(entry, clockTime(entry.time)),
  );
}

/**
 * Return a text as nodes, in which the addresses of pages are links.
 * @param {string} text
 */
function withLinks(text) {
  const link = { target: "_blank", rel: "noopener noreferrer" };
  return splitAddresses(text).map((part) =>
    part.url ? element("a", { href: part.url, ...link }, part.text) : visible(part.text),
  );
}

/** @param {string} name */
function initial(name) {
  return visibleInALine([...name][0] ?? "").toLocaleUpperCase();
}
