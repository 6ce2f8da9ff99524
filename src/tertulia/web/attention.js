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
const BEEP_S = 0.15;
const BEEP_HZ = 880;

export class Attention {
  /** @type {Chat} */
  #chat;
  #isWatched;
  /** @type {AudioContext | null} */
  #audio = null; // from the first sound on

  /**
   * `isWatched` returns whether the person sees the newest message.
   * @param {Chat} chat
   * @param {() => boolean} isWatched
   */
  constructor(chat, isWatched) {
    this.#chat = chat;
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

  /** @param {Alert} alert */
  #ring({ message, isDirect }) {
    this.beep();
    if (!window.isSecureContext || !("Notification" in window)) return;
    if (Notification.permission !== "granted") return;
    const name = speakerWords(message.sender, message.hook);
    const title = isDirect ? format(_("Direct message from {name}"), { name }) : name;
    const shown = new Notification(title, {
      body: visible(message.text).slice(0, 200),
      icon: "icon.svg",
      tag: "tertulia",
    });
    shown.onclick = () => {
      window.focus();
      this.#chat.open(message.conversation);
      shown.close();
    };
  }

  /** Make a sound. */
  beep() {
    const audio = (this.#audio ??= new AudioContext());
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const now = audio.currentTime;
    tone.frequency.value = BEEP_HZ;
    volume.gain.setValueAtTime(0.1, now);
    volume.gain.exponentialRampToValueAtTime(0.001, now + BEEP_S);
    tone.connect(volume).connect(audio.destination);
    tone.start(now);
    tone.stop(now + BEEP_S);
  }
}
