/**
 * The store of the page: what is known of the chat, and what a person does.
 *
 * The screen subscribes and shows it. What a person does never throws: it returns a hint instead.
 */

import { parseTime } from "./clock.js";
import { complete } from "./commands.js";
import { Conversations } from "./conversations.js";
import { GENERAL } from "./entries.js";
import { Exchange } from "./exchange.js";
import * as explain from "./explain.js";
import { Remembered } from "./remembered.js";
import { BROWSER_TIMERS, Session } from "./session.js";
import { carryOutLine } from "./typed.js";

/** @typedef {import("./entries.js").Said} Said */
/** @typedef {() => string} Words */
/**
 * Why the last registration was refused; `suggestion` is another name to try.
 * @typedef {{code: string, name: string, suggestion: string | null, words: Words}} Refusal
 */

const OLDER_PAGE = 100; // messages that come when a person scrolls up
const CODE_REFUSALS = ["code_required", "code_wrong"];

/** The chat of one user, over as many connections as it takes. */
export class Chat {
  /** @type {"outside" | "joining" | "inside" | "left"} */
  stage = "outside";
  /** @type {Refusal | null} */
  refusal = null;
  isCodeWanted = false;
  /** @type {import("./nodes/nodes.js").Nodes | null} */
  nodes = null; // where several servers are one chat
  #timers;
  #remembered;
  #session;
  /** @type {Exchange | null} */
  #exchange = null; // from the first welcome on
  #nothing = new Conversations(""); // shown before
  #triedName = "";
  /** @type {Set<(changed: Set<string>) => void>} */
  #subscribers = new Set();
  /** @type {Set<string>} */
  #changed = new Set();

  /**
   * @param {{url: string, storage: import("./remembered.js").Storage,
   *   WebSocket?: typeof WebSocket, timers?: import("./session.js").Timers}} options
   */
  constructor({ url, storage, WebSocket = globalThis.WebSocket, timers = BROWSER_TIMERS }) {
    this.#timers = timers;
    this.#remembered = new Remembered(storage);
    this.#session = new Session(url, WebSocket, timers, this.#remembered, {
      onWelcome: (welcome) => this.#handleWelcome(welcome),
      onMessages: (messages) => this.#exchange?.receive(messages),
      onNodes: (told) => this.#handleNodes(told, false),
      onLost: (end) => this.#exchange?.lose(end, this.nodes?.explain(end)),
      onRefused: (error) => this.#handleRefusal(error),
      onChange: () => this.#note("connection"),
    });
  }

  // --- what is known -----------------------------------------------------------------------------

  /** The server of the current connection, or of the next one. */
  get server() {
    const { protocol, hostname, port } = new URL(this.#session.url);
    return { host: hostname, port: Number(port) || (protocol === "wss:" ? 443 : 80) };
  }

  get connection() {
    const { state, retryAt } = this.#session;
    return { state: state === "none" ? "waiting" : state, retryAt };
  }

  get isConnected() {
    return this.stage === "inside" && this.#session.state === "connected";
  }

  get me() {
    const { name, status, askedStatus } = this.#exchange?.state ?? {};
    return {
      name: name ?? this.#remembered.name,
      status: status ?? null,
      asked: askedStatus ?? null,
    };
  }

  get people() {
    return this.#exchange?.state.users ?? [];
  }

  /** What is known of the chat; null before the first welcome. */
  get state() {
    return this.#exchange?.state ?? null;
  }

  /** The users whom this user ignores. */
  get ignored() {
    return this.#all.ignored;
  }

  get conversations() {
    return this.#all.listed;
  }

  get current() {
    return this.#all.current.name;
  }

  get unread() {
    return this.conversations.reduce((sum, { unread }) => sum + unread, 0);
  }

  /** The operator's secret of this tab, kept over a reload until the person leaves; "" for none. */
  get secret() {
    return this.#remembered.secret;
  }

  set secret(secret) {
    this.#remembered.save({ secret });
  }

  /** Return the time by the server's clock. */
  now() {
    return this.#exchange?.clock.now() ?? new Date(this.#timers.wall());
  }

  /**
   * Call `subscriber` after each batch of changes; return a function that ends this.
   * @param {(changed: Set<string>) => void} subscriber
   */
  subscribe(subscriber) {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  // --- entering and leaving ----------------------------------------------------------------------

  /**
   * Register. `stage` and `refusal` show the result.
   * @param {string} name
   * @param {string} [code]
   */
  join(name, code = "") {
    if (this.stage === "outside" || this.stage === "left") {
      this.refusal = null;
      this.#triedName = name.trim();
      this.#setStage("joining");
      this.#session.start(this.#triedName, code);
    }
  }

  /** Take over the session that this tab had before a reload; return whether there was one. */
  resume() {
    const { name, token } = this.#remembered;
    if (token !== null) {
      this.join(name);
    }
    return token !== null;
  }

  /** Leave when every earlier request is answered; without a connection leave at once. */
  leave() {
    if (this.stage === "inside" && this.#session.state === "connected") {
      this.#exchange?.ask({ type: "quit" });
    } else if (this.stage === "inside" || this.stage === "joining") {
      this.#leave();
    }
  }

  /** Try to connect at once: the browser is online again, or the page is seen again. */
  wakeUp() {
    this.#session.wakeUp();
  }

  #leave() {
    this.#session.leave();
    this.#exchange?.abandon();
    this.#setStage(this.stage === "joining" ? "outside" : "left");
  }

  // --- what is typed and clicked -----------------------------------------------------------------

  /**
   * Carry out a typed line in the current conversation.
   * @param {string} text
   * @returns {import("./typed.js").Submitted}
   */
  submit(text) {
    return carryOutLine(text, this, this.isConnected ? this.#exchange : null);
  }

  /**
   * Make a conversation the current one, and begin it if there is none.
   * @param {string} name
   */
  open(name) {
    const found = name === GENERAL ? name : (this.#exchange?.state.registeredName(name) ?? name);
    const conversation = this.#all.open(found);
    conversation.draft = this.#remembered.drafts[conversation.name] ?? "";
    this.#exchange?.updateStatuses();
    this.#exchange?.noteSeen();
    this.#note("current", "conversations");
  }

  /**
   * Forget the conversation with a user.
   * @param {string} name
   */
  closeConversation(name) {
    this.setDraft(name, "");
    this.#all.close(name);
    this.#note("current", "conversations");
  }

  /**
   * Keep what is being written, over a reload too.
   * @param {string} name
   * @param {string} text
   */
  setDraft(name, text) {
    const conversation = this.#all.find(name);
    if (conversation) {
      conversation.draft = text;
    }
    const { [name]: _before, ...others } = this.#remembered.drafts;
    this.#remembered.save({ drafts: text ? { ...others, [name]: text } : others });
  }

  /**
   * Note whether the person sees the newest message of the current conversation.
   * @param {boolean} isWatched
   */
  setWatched(isWatched) {
    this.#all.watch(isWatched);
    this.#exchange?.noteSeen();
    this.#note("conversations");
  }

  /**
   * Ask the server for a status; what it grants is seen in `me`.
   * @param {string} status
   */
  setStatus(status) {
    if (this.isConnected) {
      this.#exchange?.ask({ type: "status", status });
    }
  }

  /**
   * Send a message again that was perhaps not delivered.
   * @param {string} key
   */
  sendAgain(key) {
    if (this.isConnected) {
      this.#exchange?.sendAgain(key);
    }
  }

  /**
   * Ask for the messages before the oldest one here.
   * @param {string} name
   */
  fetchOlder(name) {
    if (name === GENERAL && this.isConnected) {
      this.#exchange?.fetchOlder(OLDER_PAGE);
    }
  }

  /**
   * Ask what the server knows of a user.
   * @param {string} name
   * @returns {Promise<{name: string, address: string, status: string, since: Date | null,
   *   idle: number} | {error: Words}>}
   */
  async info(name) {
    const answer = await this.#answerTo({ type: "info", name });
    if ("error" in answer) {
      return answer;
    }
    const { address, status, since, idle } = answer;
    return { name: answer.name, address, status, since: parseTime(since), idle };
  }

  /**
   * Search for messages of the general chat that contain these words, older than `before`.
   * @param {string} text
   * @param {number} [before]
   * @returns {Promise<{messages: Said[], oldest?: number, more: boolean} | {error: Words}>}
   */
  async search(text, before) {
    const answer = await this.#answerTo({ type: "search", text, before });
    if ("error" in answer) {
      return answer;
    }
    const { messages, more } = answer;
    const shown = messages.filter((/** @type {any} */ one) => !this.ignored.hides(one.from));
    const entries = shown.map((/** @type {any} */ one) => this.#all.entryOf(one));
    return { messages: entries, oldest: messages[0]?.seq, more };
  }

  /**
   * Return the completions of the word before the cursor.
   * @param {string} beforeCursor
   */
  complete(beforeCursor) {
    return complete(beforeCursor, this.#exchange?.state.names() ?? []);
  }

  /** Return the new messages of others since the last call. */
  popAlerts() {
    return this.#exchange?.alerts.pop() ?? [];
  }

  /**
   * @param {any} request
   * @returns {Promise<any>} its answer, or an `error` in words
   */
  async #answerTo(request) {
    if (!this.isConnected) {
      return { error: explain.notConnected };
    }
    const answer = await this.ask(request);
    const error = answer === null ? explain.unanswered : () => explain.requestRefused(answer, request);
    return answer === null || answer.type === "error" ? { error } : answer;
  }

  /**
   * Make a request; return its answer as on the wire, or null if there is none.
   * @param {any} request
   * @returns {Promise<any>}
   */
  ask(request) {
    return new Promise((resolve) => {
      if (this.#exchange) this.#exchange.ask(request, resolve);
      else resolve(null);
    });
  }

  /**
   * Make a request whose answer the screen shows and keeps up to date; without a connection do nothing.
   * @param {any} request
   * @param {(answer: any) => void} onAnswer
   */
  watch(request, onAnswer) {
    if (this.isConnected) this.#exchange?.watch(request, onAnswer);
  }

  /**
   * Add words to the general chat that only this user sees.
   * @param {Words} words
   */
  tell(words) {
    this.#exchange?.tell(words);
  }

  // --- what the session reports ------------------------------------------------------------------

  /** @param {any} welcome */
  #handleWelcome(welcome) {
    if (welcome.nodes) this.#handleNodes(welcome, true);
    if (this.stage === "inside") {
      this.#exchange?.resume(welcome);
      return;
    }
    const { isWatched } = this.#all;
    const note = this.#note.bind(this);
    const onQuit = () => this.#leave();
    this.#exchange = new Exchange(welcome, this.#session, this.#timers, note, onQuit);
    this.#all.isWatched = isWatched;
    this.#all.general.draft = this.#remembered.drafts[GENERAL] ?? "";
    this.isCodeWanted = false;
    this.#setStage("inside");
    this.#note("me", "people", "conversations", "current");
  }

  /**
   * @param {any} told
   * @param {boolean} isEntering
   */
  #handleNodes(told, isEntering) {
    // Without it the page stays with this server.
    import("./nodes/nodes.js").then(({ meetNodes }) => {
      meetNodes(this, this.#session, told, isEntering, this.#timers);
      this.#note("connection");
    });
  }

  /** @param {any} error */
  #handleRefusal(error) {
    const { code } = error;
    const name = this.#triedName;
    const words = () => explain.registrationRefused(error, name, this.server);
    this.refusal = { code, name, suggestion: explain.suggestion(error, name), words };
    this.isCodeWanted ||= CODE_REFUSALS.includes(code);
    this.#exchange?.abandon();
    this.#remembered.save({ token: null });
    this.#setStage("outside");
  }

  // --- changes -----------------------------------------------------------------------------------

  get #all() {
    return this.#exchange?.conversations ?? this.#nothing;
  }

  /** @param {Chat["stage"]} stage */
  #setStage(stage) {
    this.stage = stage;
    this.#note("stage", "connection");
  }

  /** @param {...string} changed */
  #note(...changed) {
    if (this.#changed.size === 0) {
      queueMicrotask(() => this.#notify());
    }
    for (const what of changed) {
      this.#changed.add(what);
    }
  }

  #notify() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const subscriber of this.#subscribers) {
      subscriber(changed);
    }
  }
}
