/**
 * Calls for attention in what the browser allows: the title and its icon, a sound, a notification,
 * and what a screen reader says.
 */
import { announce, byId, setAttribute } from "./dom.js";
import { speakerWords } from "./event-words.js";
import { visible } from "./safetext.js";
import { recall } from "./settings.js";
import { _, format, ngettext } from "./words.js";

const MAX_SPOKEN = 5; // messages at once; more are only counted
/** @typedef {import("./chat.js").Chat} Chat */
/** @typedef {ReturnType<Chat["popAlerts"]>[number]} Alert */

const MENTIONS = ["mentions", "at"]; // "at" counts @NAME alone as one

export class Attention {
  /** @type {Chat} */
  #chat;
  #isWatched;
  #ring;

  /**
   * `isWatched` returns whether the person sees the newest message; `ring` calls for attention outside
   * of the page.
   * @param {Chat} chat
   * @param {() => boolean} isWatched
   * @param {(alert: Alert) => void} ring
   */
  constructor(chat, isWatched, ring) {
    this.#chat = chat;
    this.#ring = ring;
    this.#isWatched = isWatched;
  }

  /** Show how much is unread, and call for attention for what is new; works in a hidden tab. */
  update() {
    const { unread } = this.#chat;
    document.title = unread ? `(${unread}) tertulia` : "tertulia";
    setAttribute(byId("icon"), "href", unread ? "icon-unread.svg" : "icon.svg");
    const alerts = this.#chat.popAlerts();
    if (alerts.length === 0) return;
    this.#announce(alerts);
    if (this.#isWatched()) return;
    const mode = recall("notify");
    const wanted = alerts.filter(({ calls }) => mode === "all" || (MENTIONS.includes(mode) && calls));
    if (wanted.length) this.#ring(wanted[wanted.length - 1]);
  }

  /** @param {Alert[]} alerts */
  #announce(alerts) {
    const spoken = alerts.map((alert) => this.#spoken(alert)).filter(Boolean);
    const count = spoken.length;
    if (count <= MAX_SPOKEN) announce(...spoken);
    else announce(format(ngettext("{count} new message", "{count} new messages", count), { count }));
  }

  /** @param {Alert} alert */
  #spoken({ message, calls, isDirect }) {
    const name = speakerWords(message.sender, message.hook);
    if (message.conversation === this.#chat.current) return `${name}: ${visible(message.text)}`;
    if (isDirect) return format(_("Direct message from {name}"), { name });
    return calls ? format(_("{name} mentions you in the general chat"), { name }) : "";
  }
}
