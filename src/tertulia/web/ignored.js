/**
 * The ignored users: their messages are not shown and make no sound. The server does not know
 * about it. This browser keeps the list for this server.
 */

import { keyOf } from "./names.js";
import { recall, remember } from "./settings.js";

export class Ignored {
  #ownKey;
  /** @type {Map<string, {name: string, hidden: number}>} */
  #names = new Map(); // by the keys of the names, with the messages hidden since the page was loaded

  /** @param {string} ownName */
  constructor(ownName) {
    this.#ownKey = keyOf(ownName);
    for (const name of recall("ignored").split(" ").filter(Boolean)) {
      this.#names.set(keyOf(name), { name, hidden: 0 });
    }
  }

  /** The names, and how many messages of each were hidden. */
  get listed() {
    return [...this.#names.values()];
  }

  /** @param {string} name */
  find(name) {
    return this.#names.get(keyOf(name));
  }

  /**
   * Return whether a message of a user is hidden, and count it if it is.
   * @param {string} sender
   */
  hides(sender) {
    const found = this.#names.size && keyOf(sender) !== this.#ownKey && this.find(sender);
    if (found) found.hidden += 1;
    return Boolean(found);
  }

  /** @param {string} name */
  add(name) {
    this.#names.set(keyOf(name), { name, hidden: 0 });
    this.#keep();
  }

  /** @param {string} name */
  remove(name) {
    this.#names.delete(keyOf(name));
    this.#keep();
  }

  #keep() {
    remember("ignored", this.listed.map(({ name }) => name).join(" "));
  }
}
