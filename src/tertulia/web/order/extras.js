/**
 * What a visit does not need at first: the dialogs, what operators have done, and the desk of an
 * operator. Each comes when it is needed.
 */
import { setOtherParser } from "../commands.js";
import { element } from "../dom.js";
import { loadOrderWords } from "../order-words.js";
import { addTexts, loadSpanish } from "../words.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../operator/desk.js").Desk} Desk */
/**
 * The parts of the screen that this adds to.
 * @typedef {{inside: any[], log: any, composer: any, open: (name: string) => void,
 *   refresh: () => void, showSeen: (seq: number) => void}} Screen
 */

export class Extras {
  #chat;
  #screen;
  /** @type {Map<string, Promise<any>>} */
  #parts = new Map(); // those that have come or are on their way

  /**
   * @param {Chat} chat
   * @param {Screen} screen
   */
  constructor(chat, screen) {
    this.#chat = chat;
    this.#screen = screen;
    screen.inside.push(this);
    this.update();
  }

  /** Load the parts that the state of the chat needs. */
  update() {
    const { state } = this.#chat;
    if (!this.#chat.isConnected) return;
    if (state?.isOrderKept) this.#bring("notices", () => this.#makeNotices());
    if (this.#chat.nodes) this.#bring("nodes", () => this.#makeNodeLinks());
    if (state?.isOperator) this.#bringDesk();
  }

  /**
   * Do what a command asks for.
   * @param {string} command
   * @param {string} argument
   * @param {any} [request] of an operator
   */
  async carryOut(command, argument, request) {
    if (command === "ignore" || command === "unignore") {
      const [{ ignoring }] = await Promise.all([import("./ignoring.js"), loadOrderWords()]);
      this.#screen.composer.hint(ignoring(this.#chat, command, argument));
      return;
    }
    if (command === "later") {
      await this.#bring("tried", bringTried);
      this.#screen.composer.submit(argument);
      return;
    }
    if (command === "notify") {
      const [{ notifying }] = await Promise.all([import("./notifying.js"), loadOrderWords()]);
      this.#screen.composer.hint(notifying(argument));
      return;
    }
    if (command === "theme") {
      const { changeTheme } = await import("./theming.js");
      changeTheme(argument);
      return;
    }
    if (command === "seen") {
      await this.showSeen(Number(argument));
      return;
    }
    const desk = await this.#bringDesk();
    if (command === "operate") desk.operate(request);
    else if (argument) desk.become(argument);
    else desk.askForSecret();
  }

  /** @param {import("../attention.js").Alert} alert */
  async ring(alert) {
    const { ring } = await import("./ringing.js");
    ring(alert, this.#screen.open);
  }

  async showHelp() {
    const { showHelp } = await this.#bringDialog(import("../dialogs/help.js"));
    await showHelp();
  }

  /** @param {string} name */
  async showPerson(name) {
    const desk = this.#chat.state?.isOperator ? await this.#bringDesk() : null;
    const { showPerson } = await this.#bringDialog(import("../dialogs/person.js"));
    showPerson(this.#chat, name, this.#screen.open, (dialog) => desk?.actionsFor(name, dialog) ?? []);
  }

  /** @param {number} seq of a message; 0 is the last one of this user */
  async showSeen(seq) {
    const { showSeen } = await this.#bringDialog(import("../dialogs/seen.js"));
    const words = showSeen(this.#chat, seq);
    if (words) this.#screen.composer.hint(words);
  }

  /** @param {string} words */
  async showFound(words) {
    const { showFound } = await this.#bringDialog(import("../dialogs/found.js"));
    showFound(this.#chat, words);
  }

  /**
   * Wait for the module of a dialog, and for what all dialogs need.
   * @template Module
   * @param {Promise<Module>} coming
   */
  async #bringDialog(coming) {
    const needed = this.#bring("dialogs", () =>
      Promise.all([addTexts("dialogs/words.es.json"), bringStyle("../dialogs/style.css")]),
    );
    const [module] = await Promise.all([coming, needed]);
    return module;
  }

  /**
   * Bring a part, once; one that does not come is asked for again the next time.
   * @param {string} name
   * @param {() => Promise<any>} make
   */
  #bring(name, make) {
    const coming = this.#parts.get(name) ?? make();
    this.#parts.set(name, coming);
    coming.catch(() => this.#parts.delete(name));
    return coming;
  }

  #bringOrderStyle() {
    return this.#bring("order style", () => bringStyle("./style.css"));
  }

  async #makeNotices() {
    const [{ Notices }] = await Promise.all([
      import("./notices.js"),
      this.#bringOrderStyle(),
      loadOrderWords(),
    ]);
    this.#add(new Notices(this.#chat, this.#screen.refresh));
  }

  /**
   * Where several servers are one chat, bring all that may be wanted when this page's own server is
   * gone: it is the only one from which the page loads anything.
   */
  async #makeNodeLinks() {
    const [{ NodeLinks }] = await Promise.all([
      import("../nodes/links.js"),
      this.#bringOrderStyle(),
      import("./ignoring.js"),
      import("./notifying.js"),
      import("./theming.js"),
      this.#bring("tried", bringTried),
      ...["person", "seen", "found"].map((name) => this.#bringDialog(import(`../dialogs/${name}.js`))),
      this.#bringDialog(import("../dialogs/help.js")).then(({ loadHelp }) => loadHelp()),
    ]);
    await loadSpanish();
    this.#add(new NodeLinks(this.#chat));
  }

  /** @returns {Promise<Desk>} */
  #bringDesk() {
    return this.#bring("desk", () => this.#makeDesk());
  }

  async #makeDesk() {
    const [{ Desk }] = await Promise.all([
      this.#bringDialog(import("../operator/desk.js")),
      bringStyle("../operator/style.css"),
      addTexts("operator/words.es.json"),
      loadOrderWords(),
    ]);
    const desk = await Desk.make(this.#chat, this.#screen);
    this.#add(desk);
    return desk;
  }

  /** @param {any} part */
  #add(part) {
    this.#screen.inside.push(part);
    this.#screen.refresh();
  }
}

/** Load the parser that understands more words than the table of commands. */
async function bringTried() {
  const [tried] = await Promise.all([
    import("../tried/commands.js"),
    addTexts("tried/words.es.json"),
    loadOrderWords(),
  ]);
  await tried.loadTried();
  setOtherParser(tried.parseTried);
}

/**
 * Load a style sheet; without it the parts are plain, but work.
 * @param {string} path
 */
function bringStyle(path) {
  const href = String(new URL(path, import.meta.url));
  return new Promise((resolve) => {
    const sheet = { rel: "stylesheet", href, load: resolve, error: resolve };
    document.head.append(element("link", sheet));
  });
}
