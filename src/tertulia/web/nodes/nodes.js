/**
 * Several servers that are one chat, called nodes: which one comes after a lost one. The rules are
 * those of `client/nodes.py`.
 *
 * The page of a chat with one server never loads this.
 */

import { _, addTexts, format } from "../words.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {import("../session.js").Session} Session */
/** @typedef {import("../session.js").Timers} Timers */

const AT_ONCE = -1; // a delay in milliseconds; 0 lets a timer run
const STEADY_MS = 5_000; // for a connection to last, so that after its end all others are tried at once
const MAX_NODES = 100; // taken from one list
const ADDRESS = /^([\w.-]+|\[[\da-f:.]+\]):\d{1,5}$/i;

/** The nodes of a chat, each by the URL of its WebSocket. */
export class Nodes {
  isStuck = false; // a whole round has failed, and nobody has let the user in since
  /** @type {string[]} */
  urls = []; // those named last first, then those named earlier, which may be up again
  #toldCount = 0; // so many were named last
  /** @type {Map<string, number>} */
  #owners = new Map(); // which node has each of those named last
  /** @type {Map<string, string>} */
  #reached = new Map(); // how a node was reached, by the first of its own addresses, if by none
  /** @type {Set<string>} */
  #tried = new Set(); // in this round
  #timers;
  #url = ""; // of the node that has let the user in
  #enteredAt = 0;
  #isIn = false;
  /** @type {(() => number) | null} */
  #delay = null; // after the first round

  /** @param {Timers} timers */
  constructor(timers) {
    this.#timers = timers;
  }

  /** The node that has let the user in last. */
  get current() {
    return this.#url;
  }

  /**
   * Note the node that has let the user in, and those that its `welcome` names, itself first.
   * @param {string} url
   * @param {string[]} told
   * @param {number[]} [perNode]
   */
  enter(url, told, perNode) {
    if (!told.includes(new URL(url).host)) this.#reached.set(told[0], url);
    this.#url = url;
    this.#enteredAt = this.#timers.now();
    this.#isIn = true;
    this.isStuck = false;
    this.learn(told, perNode);
  }

  /**
   * Note the nodes that the chat has named, and how many of the addresses each one has.
   * @param {string[]} told
   * @param {number[]} [perNode]
   */
  learn(told, perNode = []) {
    const [scheme] = this.#url.split("//");
    const fits = perNode.every((count) => count > 0) && sum(perNode) === told.length;
    const counts = fits ? perNode : told.map(() => 1);
    const owners = counts.flatMap((count, node) => Array(count).fill(node));
    this.#owners = new Map();
    told.slice(0, MAX_NODES).forEach((node, at) => {
      if (!ADDRESS.test(node)) return;
      this.#owners.set(this.#reached.get(node) ?? `${scheme}//${node}/ws`, owners[at]);
    });
    const urls = [...this.#owners.keys()];
    this.#toldCount = urls.length;
    this.urls = [...new Set([...urls, ...this.urls])].slice(0, 2 * MAX_NODES);
  }

  /**
   * Return the node to try next, and when: at once if it was not tried yet in this round.
   *
   * `delay` returns the pause before a single server would be tried again.
   * @param {() => number} delay
   * @returns {[string, number]}
   */
  next(delay) {
    if (this.#isIn) {
      this.#isIn = false;
      this.#delay = delay;
      // Nodes that let the user in and then close must not be tried for ever without a pause.
      if (this.#timers.now() - this.#enteredAt >= STEADY_MS) this.#tried.clear();
      this.#tried.add(this.#url);
    }
    // Each node has its turn with one address before any has it with a second one. Of these, those
    // in this network are the likeliest to be reached.
    const all = this.#untried(this.#toldCount);
    const fewest = Math.min(...all.map((url) => this.#turns(url)));
    const told = all.filter((url) => this.#turns(url) === fewest);
    let untried = told.filter((url) => networkOf(url) === networkOf(this.#url));
    if (untried.length === 0) untried = told;
    if (untried.length === 0) untried = this.#untried(this.urls.length);
    let delayMs = AT_ONCE;
    if (untried.length === 0) {
      this.#tried.clear();
      untried = this.urls;
      delayMs = (this.#delay ?? delay)();
      this.#delay = null;
      this.isStuck = true;
    }
    // By chance, so that the users of a node that is lost go to all the others.
    const url = untried[Math.floor(this.#timers.random() * untried.length)];
    this.#tried.add(url);
    return [url, delayMs];
  }

  /**
   * Return the words for an end that only a node can have; undefined for any other.
   * @param {import("../session.js").End} end
   */
  explain({ closing }) {
    if (closing?.cause !== "cut_off") return;
    return () => _("This server has lost contact with the rest of the chat.");
  }

  /**
   * Return how many addresses of its node were tried in this round.
   * @param {string} url
   */
  #turns(url) {
    const owner = this.#owners.get(url);
    return [...this.#tried].filter((one) => this.#owners.get(one) === owner).length;
  }

  /** @param {number} count of the nodes to look at */
  #untried(count) {
    return this.urls.slice(0, count).filter((url) => !this.#tried.has(url));
  }
}

/** @param {number[]} counts */
function sum(counts) {
  return counts.reduce((all, count) => all + count, 0);
}

/**
 * Return the part that the IPv4 addresses of a local network probably have in common.
 * @param {string} url
 */
function networkOf(url) {
  return new URL(url).hostname.replace(/\.\d+$/, "");
}

/**
 * Let the session know the nodes that are named; by a `welcome`, tell the user at which one that is.
 * @param {Chat} chat
 * @param {Session} session
 * @param {{nodes: string[], per_node?: number[]}} told
 * @param {boolean} isEntering they are named by a `welcome`
 * @param {Timers} timers
 */
export async function meetNodes(chat, session, told, isEntering, timers) {
  if (!isEntering) {
    session.nodes?.learn(told.nodes, told.per_node);
    return;
  }
  const { url } = session;
  const before = chat.nodes?.current;
  const nodes = (chat.nodes ??= new Nodes(timers));
  session.nodes = nodes;
  nodes.enter(url, told.nodes, told.per_node);
  await addTexts("nodes/words.es.json");
  const server = new URL(url).host;
  if (before === undefined && nodes.urls.length > 1) {
    const words = () => format(_("This chat has several servers. You are at {server}."), { server });
    whenGreeted(chat, () => chat.tell(words));
  } else if (before !== undefined && url !== before) {
    chat.tell(() => format(_("You are now at {server}."), { server }));
  }
}

/**
 * Do something once the greeting is there, below the messages of the first page.
 * @param {Chat} chat
 * @param {() => void} then
 */
function whenGreeted(chat, then) {
  const look = () => {
    const [general] = chat.conversations;
    if (!general?.entries.some(({ kind }) => kind === "told")) return;
    stop();
    then();
  };
  const stop = chat.subscribe(look);
  look();
}
