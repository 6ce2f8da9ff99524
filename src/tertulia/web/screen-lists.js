/** The conversations and the people: lists of buttons at the sides. */
import { byId, element, Rows, setAttribute, setText } from "./dom.js";
import { SHAPES } from "./event-words.js";
import { visibleInALine } from "./safetext.js";
import { nameStyle } from "./screen-entry.js";
import { _, format, ngettext, pgettext } from "./words.js";

/** @typedef {import("./chat.js").Chat} Chat */
/**
 * @typedef {{name: string, unread: number, calls: boolean, isCurrent: boolean, shape: string,
 *   status: string}} ConversationRow
 */
/** @typedef {{name: string, status: string, isOwn: boolean, signs: string[]}} PersonRow */
/** @typedef {(name: string) => void} Choose */

const MANY = 99; // unread messages; more are "99+"

export class ConversationList {
  /** @type {Chat} */
  #chat;
  /** @type {Rows<ConversationRow>} */
  #rows;

  /**
   * `onOpen` is called for the conversation that was chosen.
   * @param {Chat} chat
   * @param {Choose} onOpen
   */
  constructor(chat, onOpen) {
    this.#chat = chat;
    this.#rows = new Rows(byId("conversations"), {
      keyOf: ({ name }) => name,
      isSame: isEqual,
      paint: (row, node) => paintConversation(row, node ?? button(() => onOpen(row.name))),
    });
  }

  translate() {
    setText(byId("conversations-title"), _("Conversations"));
    this.#rows.repaint();
  }

  update() {
    const { conversations, current, connection } = this.#chat;
    const isKnown = connection.state === "connected";
    this.#rows.show(
      conversations.map(({ name, unread, calls, isPresent, status }) => ({
        name,
        unread,
        calls: Boolean(calls),
        isCurrent: name === current,
        shape: name === "" ? "#" : shapeOf(isPresent ? status : null, isKnown),
        status: (isPresent && isKnown && status) || "",
      })),
    );
    const elsewhere = conversations
      .filter(({ name }) => name !== current)
      .reduce((sum, { unread }) => sum + unread, 0);
    setAttribute(byId("unread-elsewhere"), "data-shown", elsewhere ? countWords(elsewhere) : "");
    const title = _("Conversations");
    setAttribute(byId("open-left"), "aria-label", elsewhere ? withUnread(title, elsewhere) : title);
  }
}

/**
 * @param {ConversationRow} row
 * @param {HTMLElement} node
 */
function paintConversation({ name, unread, calls, isCurrent, shape, status }, node) {
  const title = name === "" ? _("General") : visibleInALine(name);
  node.className = "row";
  node.classList.toggle("current", isCurrent);
  node.classList.toggle("unread", unread > 0);
  node.classList.toggle("calls", calls);
  if (isCurrent) node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
  node.replaceChildren(shapeElement(shape, status), element("bdi", { class: "name" }, title));
  node.setAttribute("aria-label", unread ? withUnread(title, unread) : title);
  if (unread) {
    const shown = (calls ? "! " : "") + countWords(unread);
    node.append(element("span", { class: "badge", "data-shown": shown }));
  }
  return node;
}

export class PeopleList {
  /** @type {Chat} */
  #chat;
  /** @type {Rows<PersonRow>} */
  #rows;

  /**
   * `onChoose` is called for the person that was chosen.
   * @param {Chat} chat
   * @param {Choose} onChoose
   */
  constructor(chat, onChoose) {
    this.#chat = chat;
    this.#rows = new Rows(byId("people"), {
      keyOf: ({ name }) => name,
      isSame: isEqual,
      paint: (row, node) => paintPerson(row, node ?? button(() => onChoose(row.name))),
    });
  }

  translate() {
    setText(byId("people-title"), pgettext("of a list", "People"));
    setAttribute(byId("open-right"), "aria-label", pgettext("of a list", "People"));
    this.#rows.repaint();
  }

  update() {
    const { people, me, connection } = this.#chat;
    const isKnown = connection.state === "connected";
    this.#rows.show(
      people.map(({ name, status, isOperator, isMuted }) => ({
        name,
        status: isKnown ? status : "",
        isOwn: name === me.name,
        signs: [...(isOperator ? [_("operator")] : []), ...(isMuted ? [_("muted")] : [])],
      })),
    );
    for (const id of ["people-count", "people-count-short"]) {
      setAttribute(byId(id), "data-shown", String(people.length));
    }
  }
}

/**
 * @param {PersonRow} row
 * @param {HTMLElement} node
 */
function paintPerson({ name, status, isOwn, signs }, node) {
  const shown = visibleInALine(name);
  const own = isOwn ? _("(you)") : "";
  node.className = "row person";
  node.setAttribute("aria-label", [shown, status || "?", ...signs].join(", "));
  node.replaceChildren(
    shapeElement(shapeOf(status, status !== ""), status),
    element(
      "bdi",
      { class: `name ${nameStyle(name)}`, "data-shown": own },
      shown,
    ),
    " ",
    element(
      "span",
      { class: "status faint small" },
      status,
      ...signs.flatMap((sign) => {
        return [" ", element("b", { class: sign === _("operator") && "star" }, sign)];
      }),
    ),
  );
  return node;
}

/**
 * Return a shape for a status: "?" while nobody knows it, a dot for somebody who is not here.
 * @param {string | null} status
 * @param {boolean} isKnown
 */
export function shapeOf(status, isKnown) {
  return isKnown ? (SHAPES[status ?? ""] ?? "·") : "?";
}

/**
 * @param {string} shape
 * @param {string} status
 */
function shapeElement(shape, status) {
  const classes = `shape ${status ? status.toLowerCase() : ""}`;
  return element("span", { class: classes, "aria-hidden": "true" }, shape);
}

/** @param {() => void} click */
function button(click) {
  return element("button", { type: "button", click });
}

/** @param {number} count */
function countWords(count) {
  return count > MANY ? `${MANY}+` : String(count);
}

/**
 * @param {string} name
 * @param {number} count
 */
function withUnread(name, count) {
  return format(ngettext("{name}, {count} unread", "{name}, {count} unread", count), { name, count });
}

/**
 * @template {object} Row
 * @param {Row} old
 * @param {Row} row
 */
function isEqual(old, row) {
  return JSON.stringify(old) === JSON.stringify(row);
}
