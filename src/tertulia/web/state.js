/**
 * What the page knows of its chat: who is here, with which status, and who has spoken.
 *
 * Messages of the server in, state out; the rules are those of `chat/state.py`. A status in here
 * always comes from the server. Pure: no network, clock or words.
 */

import { foldCase, parseName } from "./names.js";

const MAX_GONE = 1_000; // users remembered after they left; at the bound the oldest are forgotten
const MAX_SPEAKERS = 1_000; // for completion

/** The chat as one user knows it. */
export class State {
  /** @type {string | null} */
  askedStatus = null; // requested and not confirmed yet
  /** @type {Map<string, {status: string, seq: number}>} */
  #here;
  /** @type {Map<string, number>} */
  #gone = new Map(); // users who left, with the number of that event
  #listSeq = -1; // the number up to which the last list of users was complete
  #listNeededSeq; // an older list is not enough
  #isListRefused = false; // on this connection
  /** @type {Set<string>} */
  #speakers = new Set(); // the most recent speaker is the last

  /** @param {{name: string, status: string, seq: number}} welcome */
  constructor(welcome) {
    this.name = welcome.name;
    this.status = welcome.status;
    this.#here = new Map([[welcome.name, { status: welcome.status, seq: welcome.seq }]]);
    this.#listNeededSeq = welcome.seq;
  }

  /**
   * Apply a message of the server.
   * @param {any} message
   */
  apply(message) {
    switch (message.type) {
      case "message":
      case "direct":
        this.#noteSpeaker(message.from);
        break;
      case "joined":
      case "presence":
        this.#see(message.name, message.status, message.seq);
        break;
      case "left":
        this.#see(message.name, null, message.seq);
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
   * @param {{status: string, seq: number}} welcome
   */
  resume(welcome) {
    this.status = welcome.status;
    this.askedStatus = null;
    this.#here = new Map([[this.name, { status: welcome.status, seq: welcome.seq }]]);
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
    const rows = Array.from(this.#here, ([name, { status }]) => ({
      name,
      status,
      folded: foldCase(name),
    }));
    rows.sort((one, other) => order(one.folded, other.folded) || order(one.name, other.name));
    return rows.map(({ name, status }) => ({ name, status }));
  }

  /** Return the names of the others for completion, the most recent speakers first. */
  names() {
    const recent = [...this.#speakers].reverse().filter((name) => this.#here.has(name));
    const names = new Set([...recent, ...this.users.map(({ name }) => name)]);
    names.delete(this.name);
    return [...names];
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
   * @param {string} name
   * @param {string | null} status
   * @param {number} seq
   */
  #see(name, status, seq) {
    if (seq <= this.#listSeq) {
      return; // the list has this change already
    }
    this.#gone.delete(name);
    if (status === null) {
      this.#here.delete(name);
      this.#gone.set(name, seq);
      forgetOldest(this.#gone, MAX_GONE);
      return;
    }
    this.#here.set(name, { status, seq });
    if (name === this.name) {
      this.status = status;
      if (status === this.askedStatus) {
        this.askedStatus = null;
      }
    }
  }

  /** @param {{seq: number, users: {name: string, status: string}[]}} answer */
  #replaceList({ seq, users }) {
    const here = new Map(users.map(({ name, status }) => [name, { status, seq }]));
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
    this.status = this.statusOf(this.name) ?? this.status;
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
