/**
 * The state of the chat as the page knows it: the users here, their status, and who wrote last.
 *
 * Messages of the server in, state out; the rules are those of `chat/state.py`. A status in here
 * always comes from the server. Pure: no network, clock or words.
 */

import { Mutes } from "./mutes.js";
import { foldCase, parseName } from "./names.js";

/** The events by which operators keep order. */
export const ORDER_EVENTS = ["role", "muted", "unmuted", "hushed", "locked", "pinned"];

const MAX_GONE = 1_000; // users remembered after they left; at the bound the oldest are forgotten
const MAX_SPEAKERS = 1_000; // for completion

/** @typedef {{status: string, isOperator: boolean, seq: number}} Seen */

/** The chat as one user knows it. */
export class State {
  /** @type {string | null} */
  askedStatus = null; // requested and not confirmed yet
  mutes = new Mutes();
  isOrderKept = false; // an operator has done something, as far as is known
  /** @type {Map<string, Seen>} */
  #here;
  /** @type {Map<string, number>} */
  #gone = new Map(); // users who left, with the number of that event
  #listSeq = -1; // the number up to which the last list of users was complete
  #listNeededSeq; // an older list is not enough
  #isListRefused = false; // on this connection
  /** @type {Set<string>} */
  #speakers = new Set(); // the most recent speaker is the last

  /** @param {any} welcome */
  constructor(welcome) {
    this.name = welcome.name;
    this.#begin(welcome);
    this.#listNeededSeq = welcome.seq;
  }

  /** @param {any} welcome */
  #begin({ status, seq, operator = false, hushed = false, locked = false, pinned = null }) {
    this.status = status;
    this.isOperator = operator;
    this.isHushed = hushed;
    this.isLocked = locked;
    this.pinned = pinned; // a message as in the history
    this.isOrderKept ||= operator || hushed || locked || pinned !== null;
    this.#here = new Map([[this.name, { status, isOperator: operator, seq }]]);
  }

  /**
   * Apply a message of the server.
   * @param {any} message
   */
  apply(message) {
    this.isOrderKept ||= ORDER_EVENTS.includes(message.type);
    switch (message.type) {
      case "message":
      case "direct":
        this.#noteSpeaker(message.from);
        this.mutes.noteSpeaker(message.from, message.seq);
        break;
      case "joined": {
        const { status, operator: isOperator = false, seq } = message;
        this.#see(message.name, { status, isOperator, seq });
        break;
      }
      case "presence":
        this.#see(message.name, { ...this.#seen(message), status: message.status });
        break;
      case "role":
        if (this.#here.has(message.name)) {
          this.#see(message.name, { ...this.#seen(message), isOperator: message.operator });
        }
        break;
      case "left":
        this.#lose(message);
        break;
      case "muted":
        this.mutes.add(message.name, message.seq, message.until);
        break;
      case "unmuted":
        this.mutes.remove(message.name);
        break;
      case "hushed":
        this.isHushed = message.on;
        break;
      case "locked":
        this.isLocked = message.on;
        break;
      case "pinned":
        this.pinned = message.message ?? null;
        break;
      case "users":
        this.#replaceList(message);
        break;
      case "gap":
        this.#listNeededSeq = message.through;
    }
  }

  /**
   * Continue on a new connection: forget who is here.
   * @param {any} welcome
   * @param {boolean} [isRenumbered] its numbers are not those of the last connection
   */
  resume(welcome, isRenumbered = false) {
    if (isRenumbered) {
      this.mutes = new Mutes();
    }
    this.#begin(welcome);
    this.askedStatus = null;
    this.#gone.clear();
    this.#listSeq = -1;
    this.#listNeededSeq = welcome.seq;
    this.#isListRefused = false;
  }

  /**
   * Note the server's answer to the request for a status.
   * @param {boolean} isGranted
   */
  answerStatus(isGranted) {
    if (isGranted && this.askedStatus !== null) {
      this.status = this.askedStatus;
    }
    this.askedStatus = null;
  }

  /** Note that the server refuses the list of users: it is not needed until a resumption. */
  refuseUsers() {
    this.#isListRefused = true;
  }

  /** Whether the list of users has to be requested: on a new connection, and after a gap. */
  get needsUsers() {
    return this.#listSeq < this.#listNeededSeq && !this.#isListRefused;
  }

  /** Whether the list of users is complete. */
  get knowsUsers() {
    return this.#listSeq >= this.#listNeededSeq;
  }

  /** The users who are here, sorted by name. */
  get users() {
    const rows = Array.from(this.#here, ([name, { status, isOperator }]) => ({
      name,
      status,
      isOperator,
      isMuted: this.mutes.has(name),
      folded: foldCase(name),
    }));
    return rows.sort((one, other) => order(one.folded, other.folded) || order(one.name, other.name));
  }

  /** Return the names of the others for completion, the most recent speakers first. */
  names() {
    const recent = [...this.#speakers].reverse().filter((name) => this.#here.has(name));
    const names = new Set([...recent, ...this.users.map(({ name }) => name)]);
    names.delete(this.name);
    return [...names];
  }

  /** Whether this user may say something in the general chat, as far as is known. */
  get maySpeak() {
    return !this.mutes.has(this.name) && (this.isOperator || !this.isHushed);
  }

  /**
   * Return the status of a user; null for a user who is not here.
   * @param {string} name
   */
  statusOf(name) {
    return this.#here.get(name)?.status ?? null;
  }

  /**
   * Return the name of the user that a spelling means; without such a user, the spelling.
   * @param {string} spelling
   */
  registeredName(spelling) {
    const wanted = parseName(spelling)?.key;
    if (wanted === undefined || this.#here.has(spelling)) {
      return spelling;
    }
    return [...this.#here.keys()].find((name) => parseName(name)?.key === wanted) ?? spelling;
  }

  /** @param {string} sender */
  #noteSpeaker(sender) {
    if (sender === this.name) {
      return;
    }
    this.#speakers.delete(sender);
    this.#speakers.add(sender);
    forgetOldest(this.#speakers, MAX_SPEAKERS);
  }

  /**
   * Return what is known of the user of an event, with the number of the event.
   * @param {any} event
   * @returns {Seen}
   */
  #seen({ name, seq }) {
    return { status: "", isOperator: false, ...this.#here.get(name), seq };
  }

  /**
   * @param {string} name
   * @param {Seen} seen
   */
  #see(name, seen) {
    if (seen.seq <= this.#listSeq) {
      return; // the list has this change already
    }
    this.#gone.delete(name);
    this.#here.set(name, seen);
    if (name === this.name) {
      const { status } = seen;
      this.status = status;
      this.isOperator = seen.isOperator;
      if (status === this.askedStatus) {
        this.askedStatus = null;
      }
    }
  }

  /** @param {any} event of the type left */
  #lose({ name, seq }) {
    if (seq > this.#listSeq) {
      this.#here.delete(name);
      this.#gone.delete(name);
      this.#gone.set(name, seq);
      forgetOldest(this.#gone, MAX_GONE);
    }
  }

  /** @param {any} answer */
  #replaceList({ seq, users }) {
    this.mutes.learn(seq, users);
    /** @type {Map<string, Seen>} */
    const here = new Map();
    for (const { name, status, operator: isOperator = false } of users) {
      here.set(name, { status, isOperator, seq });
    }
    // An event that is newer than the list may have come before it.
    for (const [name, seen] of this.#here) {
      if (seen.seq > seq) {
        here.set(name, seen);
      }
    }
    for (const [name, leftSeq] of this.#gone) {
      if (leftSeq > seq) {
        here.delete(name);
      } else {
        this.#gone.delete(name);
      }
    }
    this.#here = here;
    this.#listSeq = seq;
    const own = here.get(this.name);
    this.isOrderKept ||= this.mutes.has(this.name) || Boolean(own?.isOperator);
    this.status = own?.status ?? this.status;
    this.isOperator = own?.isOperator ?? this.isOperator;
  }
}

/**
 * @param {string} one
 * @param {string} other
 */
function order(one, other) {
  return one < other ? -1 : Number(one > other);
}

/**
 * @param {Set<string> | Map<string, any>} names
 * @param {number} bound
 */
function forgetOldest(names, bound) {
  if (names.size > bound) {
    const [oldest] = names.keys();
    names.delete(oldest);
  }
}
