/**
 * A conversation, and what it consists of: messages, comings and goings, words of the page, days.
 *
 * An entry never changes. Another object with the same key takes the place of one that does, so that
 * the screen sees what to paint again. The words of the page are functions, so that they can change
 * their language. The rules are those of `tui/model/conversations.py`. Pure.
 */

import { parseTime } from "./clock.js";

/** @typedef {() => string} Words */
/** @typedef {"sending" | "delivered" | "failed" | "unknown"} Delivery */
/**
 * A message. `seq` is its number in the general chat. `hook`: a program has said it. `request` sends it again if it is this user's
 * own; `why`, if it was not delivered.
 * @typedef {{kind: "said", key: string, time: Date | null, sender: string, text: string,
 *   own: boolean, mention: boolean, hook: boolean, seq: number | null, request: any, delivery: Delivery,
 *   why: Words | null}} Said
 */
/**
 * What happened to one user while a `Moved` entry grew.
 * `left` is the event of the last time that the user left.
 * @typedef {{wasHere: boolean, isHere: boolean, left: any, status: string | null}} Change
 */
/**
 * Users who joined, left or changed status one after the other; `others` counts further events.
 * @typedef {{kind: "moved", key: string, time: Date | null, people: Map<string, Change>,
 *   others: number}} Moved
 */
/** @typedef {{kind: "told", key: string, time: Date | null, words: Words}} Told */
/** @typedef {{kind: "day", key: string, day: Date}} Day */
/** @typedef {Said | Moved | Told | Day} Entry */

export const GENERAL = ""; // the name of the general chat; no user's name is empty
const MAX_FOLDED_NAMES = 1_000; // in one entry; further ones are only counted
const MAX_GENERAL_ENTRIES = 10_000; // older ones are forgotten, and come back from the history
const MAX_DIRECT_ENTRIES = 1_000; // in each conversation; the server keeps none of them
const TRIMMED_AT_ONCE = 500; // entries at the bound: to trim one by one would cost more

let keys = 0;

function newKey() {
  keys += 1;
  return String(keys);
}

/**
 * Make the entry of a message; `fields` are those that differ from the usual ones.
 * @param {{time: Date | null, sender: string, text: string} & Partial<Said>} fields
 * @returns {Said}
 */
export function said(fields) {
  return {
    kind: "said",
    key: newKey(),
    own: false,
    mention: false,
    hook: false,
    seq: null,
    request: null,
    delivery: "delivered",
    why: null,
    ...fields,
  };
}

/**
 * Make an entry of words of the page.
 * @param {Date | null} time
 * @param {Words} words
 * @returns {Told}
 */
export function told(time, words) {
  return { kind: "told", key: newKey(), time, words };
}

/**
 * Make the entry at which a new day begins.
 * @param {Date} day
 * @returns {Day}
 */
function dayEntry(day) {
  return { kind: "day", key: newKey(), day };
}

/**
 * Make the entry of the first event of several.
 * @param {Date | null} time
 * @param {any} event
 * @returns {Moved}
 */
function moved(time, event) {
  return folded({ kind: "moved", key: newKey(), time, people: new Map(), others: 0 }, event);
}

/**
 * Return an entry with one more event.
 * @param {Moved} entry
 * @param {any} event of the type joined, left or presence
 * @returns {Moved}
 */
function folded(entry, event) {
  const before = entry.people.get(event.name);
  if (before === undefined && entry.people.size >= MAX_FOLDED_NAMES) {
    return { ...entry, others: entry.others + 1 };
  }
  const wasHere = event.type !== "joined";
  const change = { ...(before ?? { wasHere, isHere: wasHere, left: null, status: null }) };
  if (event.type === "joined") {
    change.isHere = true;
  } else if (event.type === "left") {
    Object.assign(change, { isHere: false, left: event });
  } else {
    change.status = event.status;
  }
  return { ...entry, people: new Map(entry.people).set(event.name, change) };
}

/** The entries of the general chat, or of the direct messages with one user. */
export class Conversation {
  /** @type {Entry[]} */
  entries = [];
  unread = 0;
  calls = false; // a mention or a direct message is among the unread
  draft = "";
  isLoading = false; // older messages are under way
  /** @type {string | null} */
  status = null; // of the other user; null while that user is not here
  historyHasMore = false; // as far as is known, the history has older messages
  /** @type {Date | null} */
  #day = null; // of the newest entry

  /** @param {string} name `GENERAL`, or the other user's */
  constructor(name) {
    this.name = name;
    this.historyHasMore = name === GENERAL;
  }

  /** Whether the other user is here. */
  get isPresent() {
    return this.name === GENERAL || this.status !== null;
  }

  /** Whether older messages can be fetched. */
  get hasOlder() {
    return this.historyHasMore && !this.isFull;
  }

  /** Whether there is no room for older messages. */
  get isFull() {
    return this.entries.length >= this.#bound;
  }

  /** The `seq` of the oldest message here; undefined if there is none. */
  get oldestSeq() {
    const oldest = this.entries.find((entry) => entry.kind === "said" && entry.seq !== null);
    return /** @type {Said | undefined} */ (oldest)?.seq;
  }

  /** The `seq` of the newest message here; 0 if there is none. */
  get newestSeq() {
    const newest = this.entries.findLast((entry) => entry.kind === "said" && entry.seq !== null);
    return /** @type {Said | undefined} */ (newest)?.seq ?? 0;
  }

  /** The newest message here that can be sent again. */
  get undelivered() {
    return this.entries.findLast(canBeSentAgain);
  }

  /**
   * Add an entry, and before it the day if a new one has begun.
   * @param {Said | Told} entry
   */
  add(entry) {
    this.#addDay(entry.time);
    this.#append(entry);
  }

  /**
   * Add an event to the last entry if that is of this kind, else as a new entry.
   * @param {any} event of the type joined, left or presence
   */
  fold(event) {
    const time = parseTime(event.time);
    this.#addDay(time);
    const last = this.entries.at(-1);
    if (last?.kind === "moved") {
      this.entries[this.entries.length - 1] = folded(last, event);
    } else {
      this.#append(moved(time, event));
    }
  }

  /**
   * Add messages that are older than everything here.
   * @param {Said[]} messages
   */
  addOlder(messages) {
    const older = new Conversation(this.name);
    for (const message of messages) {
      older.add(message);
    }
    const oldest = this.entries[0];
    if (oldest?.kind === "day" && oldest.day.getTime() === older.#day?.getTime()) {
      this.entries.shift();
    }
    this.entries.unshift(...older.entries);
    this.#day ??= older.#day;
  }

  /**
   * Change an entry; with a new time it moves behind what happened before that.
   * @param {Said} entry
   * @param {Partial<Said>} changes
   */
  change(entry, changes) {
    const place = this.entries.indexOf(entry);
    const changed = { ...entry, ...changes };
    this.entries[place] = changed;
    if (changes.time) {
      this.#move(place, changed);
    }
  }

  /**
   * Move an entry behind the last settled one from before its time.
   * @param {number} index
   * @param {Said} entry
   */
  #move(index, entry) {
    let place = index;
    for (const [later, other] of this.entries.entries()) {
      if (later > index && isSettled(other) && isBefore(other, entry)) {
        place = later;
      }
    }
    if (place > index) {
      this.entries.splice(place + 1, 0, entry);
      this.entries.splice(index, 1);
      if (this.entries[index - 1]?.kind === "day" && this.entries[index].kind === "day") {
        this.entries.splice(index - 1, 1); // there is nothing left of that day
        place -= 1;
      }
    }
    const day = entry.time && dayOf(entry.time);
    if (place === this.entries.length - 1 && day && this.#day && day > this.#day) {
      this.entries.splice(place, 0, dayEntry(day));
      this.#day = day;
    }
  }

  /** @param {Date | null} time */
  #addDay(time) {
    const day = time && dayOf(time);
    if (day && (this.#day === null || day > this.#day)) {
      this.#day = day;
      this.entries.push(dayEntry(day));
    }
  }

  /** @param {Entry} entry */
  #append(entry) {
    this.entries.push(entry);
    if (this.entries.length > this.#bound) {
      this.#trim();
    }
  }

  get #bound() {
    return this.name === GENERAL ? MAX_GENERAL_ENTRIES : MAX_DIRECT_ENTRIES;
  }

  /** Forget the oldest entries. */
  #trim() {
    this.entries.splice(0, TRIMMED_AT_ONCE);
    this.historyHasMore = this.name === GENERAL;
    const oldest = this.entries[0];
    if (oldest && oldest.kind !== "day" && oldest.time) {
      this.entries.unshift(dayEntry(dayOf(oldest.time)));
    }
  }
}

/**
 * Return the local midnight at which the day of a moment began.
 * @param {Date} moment
 */
function dayOf(moment) {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
}

/**
 * Return whether an entry is a message that has failed, or perhaps not arrived.
 * @param {Entry} entry
 */
export function canBeSentAgain(entry) {
  return entry.kind === "said" && (entry.delivery === "failed" || entry.delivery === "unknown");
}

/**
 * Return whether an entry keeps its place.
 * @param {Entry} entry
 */
function isSettled(entry) {
  return !(entry.kind === "said" && entry.delivery === "sending") && entry.kind !== "day";
}

/**
 * Return whether an entry belongs before a message: by their numbers, or else by their times.
 * @param {any} entry
 * @param {Said} message
 */
function isBefore(entry, message) {
  if (message.seq !== null) {
    return entry.seq === null || entry.seq === undefined || entry.seq < message.seq;
  }
  return entry.time !== null && entry.time < /** @type {Date} */ (message.time);
}
