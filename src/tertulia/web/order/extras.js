/**
 * What a visit does not need at first: the dialogs, what operators have done, and the desk of an
 * operator. Each comes when it is needed.
 */
import { loadOrderWords } from "../order-words.js";
import { addTexts } from "../words.js";

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
  /** @type {Promise<void> | null} */
  #notices = null;
  /** @type {Promise<Desk> | null} */
  #desk = null;

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

  /** Bring what the state of the chat needs. */
  update() {
    const { state } = this.#chat;
    if (state?.isOrderKept) this.#notices ??= this.#bringNotices();
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
    if (command === "seen") {
      await this.showSeen(Number(argument));
      return;
    }
    const desk = await this.#bringDesk();
    if (command === "operate") desk.operate(request);
    else if (argument) desk.become(argument);
    else desk.askForSecret();
  }

  async showHelp() {
    const { showHelp } = await withTexts(import("../dialogs/help.js"));
    await showHelp();
  }

  /** @param {string} name */
  async showPerson(name) {
    const desk = this.#chat.state?.isOperator ? await this.#bringDesk() : null;
    const { showPerson } = await withTexts(import("../dialogs/person.js"));
    showPerson(this.#chat, name, this.#screen.open, (dialog) => desk?.actionsFor(name, dialog) ?? []);
  }

  /** @param {number} seq of a message; 0 is the last one of this user */
  async showSeen(seq) {
    const { showSeen } = await withTexts(import("../dialogs/seen.js"));
    const words = showSeen(this.#chat, seq);
    if (words) this.#screen.composer.hint(words);
  }

  /** @param {string} words */
  async showFound(words) {
    const { showFound } = await withTexts(import("../dialogs/found.js"));
    showFound(this.#chat, words);
  }

  async #bringNotices() {
    const [{ Notices }] = await Promise.all([import("./notices.js"), loadOrderWords()]);
    this.#add(new Notices(this.#chat, this.#screen.refresh));
  }

  #bringDesk() {
    this.#desk ??= this.#makeDesk();
    return this.#desk;
  }

  async #makeDesk() {
    const [{ Desk }] = await Promise.all([
      withTexts(import("../operator/desk.js")),
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

/**
 * Wait for a module and the texts of the dialogs.
 * @template Module
 * @param {Promise<Module>} coming
 */
async function withTexts(coming) {
  const [module] = await Promise.all([coming, addTexts("dialogs/words.es.json")]);
  return module;
}
