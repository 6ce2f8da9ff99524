/**
 * The tools of an operator: the secret, what can be done to a person and with a message, and to the
 * whole chat. By mouse, by key and by command.
 */
import { commandWord, setOperatorCommands } from "../commands.js";
import { byId, element, setText } from "../dom.js";
import { visible } from "../safetext.js";
import { openDialog } from "../dialogs/dialog.js";
import { _, format } from "../words.js";
import { showAttendance } from "./attendance.js";
import { operatorRows } from "./commands.js";
import { banWords, done, fits, hookRowWords, hookWords, refused } from "./words.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../order/extras.js").Screen} Screen */

export class Desk {
  #chat;
  #screen;
  #rows;
  #isAsking = false;
  /** @type {boolean | null} */
  #wasOperator = null;
  #button = element("button", { type: "button", class: "plain", click: () => this.#showOrder() });

  /**
   * @param {Chat} chat
   * @param {Screen} screen
   */
  static async make(chat, screen) {
    const table = await (await fetch(new URL("commands.json", import.meta.url))).json();
    return new Desk(chat, screen, operatorRows(table));
  }

  /**
   * @param {Chat} chat
   * @param {Screen} screen
   * @param {import("../commands.js").Row[]} rows
   */
  constructor(chat, screen, rows) {
    this.#chat = chat;
    this.#screen = screen;
    this.#rows = rows;
    byId("help").after(this.#button);
    screen.log.actionsFor = (/** @type {any} */ entry) => this.#pinButton(entry);
  }

  translate() {
    setText(this.#button, _("Keep order"));
  }

  update() {
    const { state, isConnected } = this.#chat;
    const isOperator = Boolean(state?.isOperator);
    if (isOperator !== this.#wasOperator) {
      this.#wasOperator = isOperator;
      this.#button.hidden = !isOperator;
      setOperatorCommands(isOperator ? this.#rows : []);
      this.#screen.log.translate(); // the buttons of its messages come or go
      this.#screen.log.update();
    }
    if (this.#chat.secret && isConnected && !isOperator && !this.#isAsking) this.#askToBe();
  }

  // --- the secret --------------------------------------------------------------------------------

  /** Ask the person for the secret. */
  askForSecret() {
    const words = _("Operator's secret");
    const field = element("input", { type: "password", autocomplete: "off", "aria-label": words, required: true });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      dialog.close();
      this.become(/** @type {any} */ (field).value);
    };
    const form = element(
      "form",
      { class: "actions", submit },
      field,
      element("button", { class: "primary" }, _("Keep order")),
    );
    const dialog = openDialog(words, form);
    field.focus();
  }

  /**
   * Become an operator with a secret, as soon as this user is in the chat.
   * @param {string} secret
   */
  become(secret) {
    this.#chat.secret = secret.trim();
    if (this.#chat.state?.isOperator) this.#chat.tell(keepsOrder);
    else if (this.#chat.stage === "inside") this.update();
  }

  async #askToBe() {
    this.#isAsking = true;
    const request = { type: "operator", secret: this.#chat.secret };
    const answer = await this.#chat.ask(request);
    this.#isAsking = false;
    if (answer?.type === "ok") {
      if (this.#chat.state) this.#chat.state.isOperator = true; // the event comes later
      this.#chat.tell(keepsOrder);
      this.#screen.refresh();
    } else if (answer !== null) {
      this.#chat.secret = "";
      this.#chat.tell(() => refused(request, answer));
    }
  }

  // --- requests ----------------------------------------------------------------------------------

  /**
   * Make a request of an operator; a ban of several people only after a question.
   * @param {any} request
   */
  async operate(request) {
    if (request.type === "attendance") {
      showAttendance(this.#chat, request.file);
      return;
    }
    if (request.type === "ban" && request.address) {
      const found = await this.#chat.ask({ ...request, check: true });
      if (found?.type !== "users") return this.#hint(() => refused(request, found));
      if (found.users.length > 1 && !(await confirm(fits(found.users)))) {
        return this.#hint(() => _("Nothing was done."));
      }
    }
    if (request.newest) {
      const { entries } = this.#chat.conversations[0];
      const newest = entries.findLast((entry) => entry.kind === "said" && entry.seq !== null);
      if (!newest) return this.#hint(() => _("There is no message here that could be pinned."));
      return this.operate({ type: "pin", seq: /** @type {any} */ (newest).seq });
    }
    const answer = await this.#chat.ask(request);
    if (answer?.type === "bans") this.#showBans(answer.bans);
    else if (answer?.type === "hooks") this.#showHooks(answer.hooks);
    else if (answer?.type === "hook") {
      openDialog(answer.name, ...hookWords(answer).map((line) => element("p", {}, line)));
    }
    else if (answer?.type === "ok") this.#hint(() => done(request));
    else this.#hint(() => refused(request, answer));
  }

  /** @param {() => string} words */
  #hint(words) {
    this.#screen.composer.hint(words);
  }

  // --- a person, a message -----------------------------------------------------------------------

  /**
   * Return what an operator can do to a person, for the dialog of that person.
   * @param {string} name
   * @param {any} dialog
   */
  actionsFor(name, dialog) {
    const reason = field(_("Reason"), { maxlength: "200" });
    const minutes = field(_("Minutes; without them it has no end"), { type: "number", min: "1", max: "52560000" });
    const act = (/** @type {any} */ request) => {
      if (!minutes.input.reportValidity()) return;
      dialog.close();
      this.operate(request);
    };
    const why = () => (reason.input.value.trim() ? { reason: reason.input.value.trim() } : {});
    const time = () => (minutes.input.value ? { minutes: Number(minutes.input.value) } : {});
    const isMuted = this.#chat.state?.mutes.has(name);
    return [
      element(
        "div",
        { class: "actions", role: "group", "aria-label": _("Keep order") },
        reason.label,
        minutes.label,
        button(_("Remove from the chat"), () => act({ type: "kick", name, ...why() })),
        button(_("Ban"), () => act({ type: "ban", name, ...time(), ...why() })),
        isMuted
          ? button(_("Let speak again"), () => act({ type: "unmute", name }))
          : button(_("Silence"), () => act({ type: "mute", name, ...time() })),
      ),
    ];
  }

  /** @param {any} entry */
  #pinButton({ kind, seq, own }) {
    if (!this.#wasOperator || kind !== "said" || seq === null) return [];
    const pin = button(_("Pin"), () => this.operate({ type: "pin", seq }));
    const seen = button(_("Seen by"), () => this.#screen.showSeen(seq));
    pin.className = seen.className = "plain small";
    return [element("span", { class: "pin" }, ...(own ? [] : [seen]), pin)];
  }

  // --- the whole chat ----------------------------------------------------------------------------

  #showOrder() {
    const { state } = this.#chat;
    if (!state) return;
    const act = (/** @type {any} */ request) => {
      dialog.close();
      this.operate(request);
    };
    const buttons = [
      state.isHushed
        ? button(_("Let everyone speak"), () => act({ type: "hush", on: false }))
        : button(_("Let only operators speak"), () => act({ type: "hush", on: true })),
      state.isLocked
        ? button(_("Let everyone in"), () => act({ type: "lock", on: false }))
        : button(_("Let nobody new in"), () => act({ type: "lock", on: true })),
      ...(state.pinned ? [button(_("Take the pinned message down"), () => act({ type: "pin" }))] : []),
      button(_("Bans"), () => act({ type: "bans" })),
      button(_("Programs"), () => act({ type: "hooks" })),
      button(_("Who was here"), () => act({ type: "attendance" })),
    ];
    const dialog = openDialog(_("Keep order"), element("div", { class: "actions" }, ...buttons));
  }

  /** @param {any[]} bans */
  #showBans(bans) {
    const rows = bans.map((ban) => {
      const target = ban.name ? { name: ban.name } : { address: ban.address };
      const words = banWords(ban, this.#chat.now());
      return this.#listed(words, _("Lift"), { type: "unban", ...target });
    });
    showList(_("Bans"), rows, _("Nobody is banned."));
  }

  /** @param {any[]} hooks */
  #showHooks(hooks) {
    const rows = hooks.map((hook) => {
      const words = hookRowWords(hook, this.#chat.now());
      return this.#listed(words, _("Remove"), { type: "unhook", name: hook.name });
    });
    showList(_("Programs"), rows, _("There are no secret addresses for programs."));
  }

  /**
   * Return a row of a list, with a button that ends what it tells of.
   * @param {string} words
   * @param {string} verb
   * @param {any} request
   */
  #listed(words, verb, request) {
    const end = button(verb, () => {
      row.remove();
      this.operate(request);
    });
    end.setAttribute("aria-label", `${verb}: ${words}`);
    const row = element("p", {}, words, " ", end);
    return row;
  }
}

/**
 * @param {string} title
 * @param {Node[]} rows
 * @param {string} none the words without any row
 */
function showList(title, rows, none) {
  openDialog(title, ...(rows.length ? rows : [element("p", {}, none)])).classList.add("wide");
}

/** Return what somebody who has become an operator has to know. */
function keepsOrder() {
  const help = commandWord("help");
  return format(_("You keep order now. {help} shows the commands for that."), { help });
}

/**
 * Ask whether to go on; return the answer.
 * @param {string} words
 * @returns {Promise<boolean>}
 */
function confirm(words) {
  return new Promise((resolve) => {
    const answer = (/** @type {boolean} */ isYes) => () => {
      resolve(isYes);
      dialog.close();
    };
    const yes = button(_("Go on"), answer(true));
    const no = button(_("Cancel"), answer(false));
    const text = element("p", {}, visible(words));
    const dialog = openDialog(_("Ban"), text, element("div", { class: "actions" }, yes, no));
    dialog.addEventListener("close", () => resolve(false));
    no.focus();
  });
}

/**
 * @param {string} words
 * @param {() => void} click
 */
function button(words, click) {
  return element("button", { type: "button", click }, words);
}

/**
 * @param {string} words
 * @param {Record<string, string>} attributes
 */
function field(words, attributes) {
  /** @type {any} */
  const input = element("input", attributes);
  return { input, label: element("label", {}, words, input) };
}
