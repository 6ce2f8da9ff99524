/** The notices above the chat: the pinned message, and whether all may speak and come in. */
import { parseTime } from "../clock.js";
import { byId, element, setText } from "../dom.js";
import { speakerWords } from "../event-words.js";
import { visible } from "../safetext.js";
import { _ } from "../words.js";
import { silenceWords } from "./words.js";

/** @typedef {import("../chat.js").Chat} Chat */

const MAX_TIMER_MS = 2 ** 31 - 1; // a browser calls back at once after a longer time

export class Notices {
  /** @type {Chat} */
  #chat;
  #label = element("b", {});
  #message = element("p", { dir: "auto" });
  #lock = element("p", { class: "faint small" });
  #pinned = element("div", { class: "pinned", tabindex: "0", role: "region" }, this.#label, this.#message);
  #silence = element("p", { class: "hint", "aria-live": "polite" });

  #refresh;
  #timer = 0;

  /**
   * @param {Chat} chat
   * @param {() => void} refresh shows everything again
   */
  constructor(chat, refresh) {
    this.#chat = chat;
    this.#refresh = refresh;
    byId("middle").querySelector(".top").after(this.#pinned);
    byId("subtitle").after(this.#lock);
    byId("hint").before(this.#silence);
  }

  translate() {
    const words = _("Pinned message");
    setText(this.#label, words);
    this.#pinned.setAttribute("aria-label", words);
  }

  update() {
    const { state, current } = this.#chat;
    if (!state) return;
    this.#endMutes(state);
    const { pinned } = state;
    const isGeneral = current === "";
    this.#pinned.hidden = !isGeneral || pinned === null;
    const words = pinned ? `${speakerWords(pinned.from, pinned.hook)}: ${visible(pinned.text)}` : "";
    setText(this.#message, pinned?.hook ? `# ${words}` : words);
    this.#lock.hidden = !state.isLocked;
    setText(this.#lock, state.isLocked ? _("Nobody new may come in now") : "");
    let silence = isGeneral ? silenceWords(state, this.#chat.now()) : "";
    if (isGeneral && state.isHushed && !silence) silence = _("Only operators may speak now");
    setText(this.#silence, silence);
  }

  /**
   * Forget the mutes that have ended, now and when the next one ends.
   * @param {import("../state.js").State} state
   */
  #endMutes({ mutes }) {
    const now = this.#chat.now();
    mutes.endThoseUntil(now.toISOString());
    clearTimeout(this.#timer);
    const end = parseTime(mutes.nextEnd ?? "");
    if (end === null) return;
    const delayMs = Math.min(end.getTime() - now.getTime() + 1, MAX_TIMER_MS);
    this.#timer = setTimeout(this.#refresh, delayMs);
  }
}
