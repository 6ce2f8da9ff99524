/** The field in which a person writes: sending, completion, drafts. */
import { byId, setAttribute, setText } from "./dom.js";
import { notConnected } from "./explain.js";
import { visible, visibleInALine } from "./safetext.js";
import { _, format } from "./words.js";

/** @typedef {import("./chat.js").Chat} Chat */

const INPUT_METHOD = 229; // Safari ends a composition before the event of its Enter

const hasTouchKeyboard = () => matchMedia("(pointer: coarse)").matches;

export class Composer {
  /** @type {Chat} */
  #chat;
  #onCommand;
  #field = byId("composer");
  /** @type {(() => string) | null} */
  #hint = null; // returns the words above the field
  /** @type {string | null} */
  #name = null; // of the conversation whose draft is in the field
  /** @type {{start: number, candidates: string[], index: number, text: string} | null} */
  #completion = null; // the last completion that Tab has inserted

  /**
   * `onCommand` carries out the commands that are not for the server.
   * @param {Chat} chat
   * @param {(command: string, argument: string, request?: any) => void} onCommand
   */
  constructor(chat, onCommand) {
    this.#chat = chat;
    this.#onCommand = onCommand;
    this.#field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#onKey(event));
    this.#field.addEventListener("input", () => this.#onInput());
    byId("compose").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.submit();
    });
    byId("skip").addEventListener("click", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.focus();
    });
  }

  translate() {
    setText(byId("send-word"), _("Send"));
    setAttribute(byId("send"), "aria-label", _("Send")); // on a phone the word is not shown
    setText(byId("skip"), _("Go to the text field"));
    setAttribute(this.#field, "enterkeyhint", hasTouchKeyboard() ? "enter" : "send");
  }

  update() {
    if (this.#chat.isConnected && this.#hint === notConnected) this.#hint = null;
    const { current, conversations } = this.#chat;
    if (current !== this.#name) {
      this.#name = current;
      this.#field.value = conversations.find(({ name }) => name === current)?.draft ?? "";
      this.hint(null);
    }
    const name = visibleInALine(current);
    const isGeneral = current === "";
    const words = isGeneral ? _("Message to everyone") : format(_("Message to {name}"), { name });
    setAttribute(this.#field, "aria-label", words);
    setAttribute(this.#field, "placeholder", words);
    this.#showHint();
  }

  focus() {
    this.#field.focus();
  }

  /**
   * Show words about what was typed; they go with the next key.
   * @param {(() => string) | null} words
   */
  hint(words) {
    this.#hint = words;
    this.#showHint();
  }

  #showHint() {
    setText(byId("hint"), this.#hint ? visible(this.#hint()) : "");
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing || event.keyCode === INPUT_METHOD) return;
    if (event.key === "Enter" && !event.shiftKey && !hasTouchKeyboard()) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Tab" && !event.shiftKey && this.#complete()) {
      event.preventDefault();
    }
  }

  #onInput() {
    this.hint(null);
    this.#chat.setDraft(this.#name ?? this.#chat.current, this.#field.value);
  }

  /**
   * Carry out the text in the field.
   * @param {string} [line] only if this still is in it
   */
  submit(line = this.#field.value) {
    if (line !== this.#field.value) return;
    const result = this.#chat.submit(line);
    if ("isLater" in result) {
      this.#onCommand("later", line);
    } else if ("hint" in result) {
      this.hint(result.hint);
    } else {
      this.#field.value = "";
      this.#onInput();
      if ("note" in result && result.note) this.hint(result.note);
      if ("command" in result) {
        this.#onCommand(result.command, result.argument ?? "", result.request);
      }
    }
  }

  /** Complete the word before the cursor, again with the next candidate. Return whether it did. */
  #complete() {
    const field = this.#field;
    const last = this.#completion;
    const isAgain = last !== null && last.text === field.value && last.candidates.length > 1;
    const { start, candidates } = isAgain
      ? last
      : this.#chat.complete(field.value.slice(0, field.selectionStart));
    if (candidates.length === 0) return false;
    const index = isAgain ? (last.index + 1) % candidates.length : 0;
    field.setRangeText(candidates[index], start, field.selectionEnd, "end");
    this.#onInput();
    this.#completion = { start, candidates, index, text: field.value };
    return true;
  }
}
