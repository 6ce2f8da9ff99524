/** The first visit: a name, perhaps a code, and a button. */
import { byId, setText } from "./dom.js";
import { visible } from "./safetext.js";
import { recall, remember } from "./settings.js";
import { _ } from "./words.js";

/** @typedef {import("./chat.js").Chat} Chat */
/** @typedef {import("./chat.js").Refusal} Refusal */

export class JoinView {
  /** @type {Chat} */
  #chat;
  #name = byId("join-name");
  #code = byId("join-code");
  /** @type {Refusal | null} */
  #refusal = null; // the one whose words are shown

  /** @param {Chat} chat */
  constructor(chat) {
    this.#chat = chat;
    this.#name.value = recall("name");
    byId("join-form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const name = this.#name.value.trim();
      remember("name", name);
      chat.join(name, this.#code.value || undefined);
    });
  }

  translate() {
    setText(byId("join-about"), _("Chat with the people who share your network."));
    setText(byId("join-name-label"), _("Your name"));
    setText(byId("join-code-label"), _("Code"));
    setText(byId("join-button"), _("Join"));
    setText(byId("join-farewell"), _("You have left the chat."));
  }

  update() {
    const { stage, refusal, isCodeWanted } = this.#chat;
    const isJoining = stage === "joining";
    byId("join-button").disabled = isJoining;
    byId("join-farewell").hidden = stage !== "left" || refusal !== null;
    byId("join-code-row").hidden = !isCodeWanted;
    this.#code.required = isCodeWanted;
    setText(byId("join-state"), isJoining ? _("connecting…") : "");
    setText(byId("join-refusal"), refusal ? visible(refusal.words()) : "");
    if (refusal && refusal !== this.#refusal) this.#onRefused(refusal);
    this.#refusal = refusal;
  }

  focus() {
    this.#name.focus();
  }

  /**
   * Fill in the code of the link.
   * @param {string} code
   */
  takeCode(code) {
    this.#code.value = code;
  }

  /** @param {Refusal} refusal */
  #onRefused({ suggestion }) {
    if (suggestion) this.#name.value = suggestion;
    (this.#chat.isCodeWanted ? this.#code : this.#name).focus();
  }
}
