/**
 * The conversations that the screen can show: the general chat, and one for each user written with.
 *
 * Events in, entries out; the rules are those of `tui/model/conversations.py`. Pure.
 */

import { parseTime } from "./clock.js";
import { Conversation, GENERAL, canBeSentAgain, said } from "./entries.js";
import { Ignored } from "./ignored.js";
import { mentions } from "./mentions.js";
import { keyOf } from "./names.js";
import { recall } from "./settings.js";

/** @typedef {import("./entries.js").Said} Said */

const NOBODY = "?"; // stands for the sender where a faulty server sends an empty one
const MAX_CONVERSATIONS = 100; // then the one that has been silent for longest is forgotten

/** The general chat, and one conversation for each user written with. */
export class Conversations {
  general = new Conversation(GENERAL);
  current = this.general;
  isWatched = true; // the person sees the newest message of the current conversation
  /** @type {Map<string, Conversation>} */
  #directs = new Map(); // by the key of the name, the newest last
  #ownName;
  #ownKey;

  /** @param {string} ownName */
  constructor(ownName) {
    this.#ownName = ownName;
    this.#ownKey = keyOf(ownName);
    this.ignored = new Ignored(ownName);
  }

  /** The general chat, then the others, the most recent first. */
  get listed() {
    return [this.general, ...[...this.#directs.values()].reverse()];
  }

  /**
   * Return the conversation with a user, if there is one.
   * @param {string} name
   */
  find(name) {
    return name === GENERAL ? this.general : this.#directs.get(keyOf(name));
  }

  /**
   * Return the conversation with a user; begin it if there is none.
   * @param {string} name
   */
  withName(name) {
    const found = this.find(name);
    if (found !== undefined) {
      return found;
    }
    const begun = new Conversation(name);
    this.#directs.set(keyOf(name), begun);
    if (this.#directs.size > MAX_CONVERSATIONS) {
      const others = [...this.#directs].filter(([, one]) => one !== this.current);
      this.#directs.delete(others[0][0]);
    }
    return begun;
  }

  /**
   * Make a conversation the current one; its entries count as read.
   * @param {string} name
   */
  open(name) {
    this.current = this.withName(name);
    this.watch(this.isWatched);
    return this.current;
  }

  /**
   * Forget the conversation with a user.
   * @param {string} name
   */
  close(name) {
    this.#directs.delete(keyOf(name));
    if (this.current.name !== GENERAL && this.find(this.current.name) === undefined) {
      this.open(GENERAL);
    }
  }

  /**
   * Note whether the person sees the newest message of the current conversation.
   * @param {boolean} isWatched
   */
  watch(isWatched) {
    this.isWatched = isWatched;
    if (isWatched) {
      this.current.unread = 0;
      this.current.calls = false;
    }
  }

  /**
   * Add a message to the general chat; `isNew`: it was not said before this user came.
   *
   * Returns its entry.
   * @param {any} message
   * @param {boolean} isNew
   */
  addMessage(message, isNew) {
    const entry = this.entryOf(message);
    const sent = entry.own && message.nonce ? this.#outgoing(this.general, message.nonce) : null;
    if (sent) {
      const { time, seq } = entry;
      this.general.change(sent, { time, seq, delivery: "delivered", why: null, request: null });
      return entry;
    }
    this.general.add(entry);
    if (isNew && !entry.own) {
      this.#countUnread(this.general, entry.mention);
    }
    return entry;
  }

  /**
   * Make the entry of a message of the general chat.
   * @param {any} message
   */
  entryOf({ time, from, text, seq, hook = false }) {
    const own = from === this.#ownName && !hook;
    const mention = !own && mentions(text, this.#ownKey, recall("notify") === "at");
    return said({ time: parseTime(time), sender: from, text, own, mention, seq, hook });
  }

  /**
   * Add a direct message of another user; return its conversation and entry.
   * @param {any} message
   */
  addDirect({ time, from, text }) {
    const conversation = this.#bringToTop(from || NOBODY);
    const entry = said({ time: parseTime(time), sender: from, text });
    conversation.add(entry);
    this.#countUnread(conversation, true);
    return { conversation, entry };
  }

  /**
   * Add a message of this user that is on its way to `name`, or to everyone.
   * @param {any} request
   * @param {string} name
   * @param {Date} time
   */
  addOutgoing(request, name, time) {
    const conversation = name === GENERAL ? this.general : this.#bringToTop(name);
    const { text } = request;
    const sender = this.#ownName;
    conversation.add(said({ time, sender, text, own: true, request, delivery: "sending" }));
    return conversation;
  }

  /**
   * Change the entry of a message of this user, by what is now known of its delivery.
   *
   * Returns its conversation; undefined if it was forgotten, or came back from the server before.
   * @param {any} request
   * @param {Partial<Said>} changes
   */
  markDelivery(request, changes) {
    for (const conversation of this.listed) {
      const entry = this.#outgoing(conversation, request.nonce);
      if (entry) {
        conversation.change(entry, { why: null, ...changes });
        return conversation;
      }
    }
    return undefined;
  }

  /**
   * Return the message with this key and its conversation, if it can be sent again.
   * @param {string} key
   */
  findUndelivered(key) {
    for (const conversation of this.listed) {
      const entry = conversation.entries.find((one) => one.key === key && canBeSentAgain(one));
      if (entry) {
        return { conversation, entry: /** @type {Said} */ (entry) };
      }
    }
    return null;
  }

  /**
   * Add an event to the general chat, and to the conversation with its user; return these.
   * @param {any} event of the type joined, left or presence
   */
  foldPresence(event) {
    this.general.fold(event);
    const conversation = this.find(event.name);
    if (conversation === undefined || conversation.entries.length === 0) {
      return [this.general];
    }
    conversation.fold(event);
    return [this.general, conversation];
  }

  /**
   * @param {Conversation} conversation
   * @param {string} nonce
   * @returns {Said | undefined}
   */
  #outgoing(conversation, nonce) {
    const isSought = (/** @type {any} */ entry) => entry.request?.nonce === nonce;
    return /** @type {Said | undefined} */ (conversation.entries.findLast(isSought));
  }

  /**
   * Return a conversation, which is the most recent from now on.
   * @param {string} name
   */
  #bringToTop(name) {
    const conversation = this.withName(name);
    this.#directs.delete(keyOf(name));
    this.#directs.set(keyOf(name), conversation);
    return conversation;
  }

  /**
   * @param {Conversation} conversation
   * @param {boolean} calls
   */
  #countUnread(conversation, calls) {
    if (conversation !== this.current || !this.isWatched) {
      conversation.unread += 1;
      conversation.calls ||= calls;
    }
  }
}
