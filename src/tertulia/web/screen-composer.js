/** The field in which a person writes: sending, completion, drafts. */
import { byId, setAttribute, setText } from "./dom.js";
import { visible, visibleInALine } from "./safetext.js";
import { _, format } from "./words.js";

const hasTouchKeyboard = () => matchMedia("(pointer: coarse)").matches;

export class Composer {
  #chat;
  #onCommand;
  #field = byId("composer");
  #hint = null; // returns the words above the field
  #name; // of the conversation whose draft is in the field
  #completion = null; // { start, candidates, index, text }: what Tab has put in last

  /** `onCommand(command, argument)` carries out what is not for the server. */
  constructor(chat, onCommand) {
    this.#chat = chat;
    this.#onCommand = onCommand;
    this.#field.addEventListener("keydown", (event) => this.#onKey(event));
    this.#field.addEventListener("input", () => this.#onInput());
    byId("compose").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("skip").addEventListener("click", (event) => {
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
    const { current, conversations } = this.#chat;
    if (current !== this.#name) {
      this.#name = current;
      this.#field.value = conversations.find(({ name }) => name === current).draft;
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

  /** Show words about what was typed, a function that returns them; they go with the next key. */
  hint(words) {
    this.#hint = words;
    this.#showHint();
  }

  #showHint() {
    setText(byId("hint"), this.#hint ? visible(this.#hint()) : "");
  }

  #onKey(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !hasTouchKeyboard()) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Tab" && !event.shiftKey && this.#complete()) {
      event.preventDefault();
    }
  }

  #onInput() {
    this.hint(null);
    this.#chat.setDraft(this.#name, this.#field.value);
  }

  #submit() {
    const result = this.#chat.submit(this.#field.value);
    if ("hint" in result) {
      this.hint(result.hint);
    } else {
      this.#field.value = "";
      this.#onInput();
      if ("note" in result) this.hint(result.note);
      if ("command" in result) this.#onCommand(result.command, result.argument);
    }
  }

  /** Complete the word before the cursor, again with the next candidate. Return whether it did. */
  #complete() {
    const field = this.#field;
    let { start, candidates, index } = this.#completion ?? {};
    if (this.#completion?.text === field.value && candidates.length > 1) {
      index = (index + 1) % candidates.length;
    } else {
      ({ start, candidates } = this.#chat.complete(field.value.slice(0, field.selectionStart)));
      index = 0;
    }
    if (candidates.length === 0) return false;
    field.setRangeText(candidates[index], start, field.selectionEnd, "end");
    this.#onInput();
    this.#completion = { start, candidates, index, text: field.value };
    return true;
  }
}
