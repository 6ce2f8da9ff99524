/** What stands around the conversation: its title, the connection, the own status, the drawers. */
import { announce, byId, setAttribute, setText } from "./dom.js";
import { connectionWords, statusWords } from "./event-words.js";
import { visibleInALine } from "./safetext.js";
import { shapeOf } from "./screen-lists.js";
import { _ } from "./words.js";

/** @typedef {import("./chat.js").Chat} Chat */

const STATUSES = ["ACTIVO", "OCUPADO", "INACTIVO"];

export class Frame {
  /** @type {Chat} */
  #chat;

  /** @param {Chat} chat */
  constructor(chat) {
    this.#chat = chat;
    byId("close-conversation").addEventListener("click", () => {
      chat.closeConversation(chat.current);
    });
  }

  translate() {
    setText(byId("help"), _("Help"));
    setText(byId("leave"), _("Leave"));
    setAttribute(byId("search"), "aria-label", _("Search"));
    setAttribute(byId("search"), "placeholder", _("Search"));
    setAttribute(byId("close-conversation"), "aria-label", _("Close the conversation"));
    setAttribute(byId("close-conversation"), "title", _("Close the conversation"));
  }

  update() {
    const { current, server, conversations } = this.#chat;
    const isGeneral = current === "";
    const conversation = conversations.find(({ name }) => name === current);
    setText(byId("server"), `${server.host}:${server.port}`);
    setText(byId("title"), isGeneral ? _("General") : visibleInALine(current));
    setText(
      byId("subtitle"),
      isGeneral
        ? _("everyone can read this")
        : this.#presence(conversation) + " · " + _("only you two can read this"),
    );
    byId("close-conversation").hidden = isGeneral;
  }

  /** @param {Chat["conversations"][number]} [conversation] */
  #presence(conversation) {
    if (this.#chat.connection.state !== "connected") return "?";
    return conversation?.status ? statusWords(conversation.status) : _("not here");
  }
}

/** The state of the connection; while it is interrupted, with the seconds to the next attempt. */
export class ConnectionView {
  /** @type {Chat} */
  #chat;
  #timer = 0;
  #wasConnected = true;

  /** @param {Chat} chat */
  constructor(chat) {
    this.#chat = chat;
  }

  update() {
    const { connection } = this.#chat;
    const words = connectionWords(connection, performance.now());
    const node = byId("connection");
    setText(node, words);
    setAttribute(node, "aria-label", words);
    setAttribute(node, "data-state", connection.state);
    const isConnected = connection.state === "connected";
    if (isConnected !== this.#wasConnected) announce(words); // once, not with every second
    this.#wasConnected = isConnected;
    clearTimeout(this.#timer);
    if (connection.state === "waiting") this.#timer = setTimeout(() => this.update(), 1000);
  }
}

/** The own name and status. The status changes when the server says so, not when it is chosen. */
export class OwnStatus {
  /** @type {Chat} */
  #chat;
  #select = byId("status");
  #unknown = new Option("?");
  #hadFocus = false;

  /** @param {Chat} chat */
  constructor(chat) {
    this.#chat = chat;
    this.#select.append(...STATUSES.map((status) => new Option(status)));
    this.#select.addEventListener("change", () => {
      const wanted = this.#select.value;
      this.#hadFocus = document.activeElement === this.#select;
      chat.setStatus(wanted);
      this.update();
    });
  }

  translate() {
    setAttribute(this.#select, "aria-label", _("Status"));
  }

  update() {
    const { me, connection } = this.#chat;
    const isKnown = connection.state === "connected";
    const isAsked = me.asked !== null;
    setText(byId("own-name"), visibleInALine(me.name));
    setText(byId("own-shape"), shapeOf(me.status, isKnown));
    byId("own-shape").className = `shape ${(isKnown && me.status?.toLowerCase()) || ""}`;
    if (isKnown) this.#unknown.remove();
    else this.#select.append(this.#unknown);
    this.#select.value = isKnown ? me.status : "?";
    this.#select.disabled = isAsked || !isKnown;
    setAttribute(this.#select, "aria-busy", String(isAsked));
    if (this.#hadFocus && !this.#select.disabled) {
      this.#hadFocus = false;
      this.#select.focus(); // a disabled element has lost it
    }
  }
}

/** The sides, which are drawers on a narrow screen: at most one is open, the rest is inert. */
export class Drawers {
  #isNarrow = matchMedia("(width <= 56rem)"); // as in style.css
  /** @type {HTMLElement | null} */
  #open = null; // the side that is open

  constructor() {
    byId("open-left").addEventListener("click", () => this.show("left"));
    byId("open-right").addEventListener("click", () => this.show("right"));
    for (const button of document.querySelectorAll(".close-drawer")) {
      button.addEventListener("click", () => this.close());
    }
    byId("backdrop").addEventListener("click", () => this.close());
    byId("chat").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Escape") this.close();
    });
    this.#isNarrow.addEventListener("change", () => this.close());
  }

  translate() {
    for (const button of document.querySelectorAll(".close-drawer")) {
      setAttribute(button, "aria-label", _("Close"));
    }
  }

  close() {
    if (!this.#open) return;
    const side = this.#open;
    this.#open = null;
    this.#set(side, false);
    byId(`open-${side.id}`).focus();
  }

  /**
   * Open a side and go into it; on a wide screen it is always open.
   * @param {"left" | "right"} id
   */
  show(id) {
    const side = byId(id);
    if (!this.#isNarrow.matches) {
      side.querySelector(".rows button").focus();
      return;
    }
    this.#open = side;
    this.#set(side, true);
    side.querySelector(".close-drawer").focus();
  }

  /**
   * @param {HTMLElement} side
   * @param {boolean} isOpen
   */
  #set(side, isOpen) {
    side.classList.toggle("open", isOpen);
    byId(`open-${side.id}`).setAttribute("aria-expanded", String(isOpen));
    byId("backdrop").hidden = !isOpen;
    byId("middle").inert = isOpen;
    byId("skip").inert = isOpen;
  }
}
