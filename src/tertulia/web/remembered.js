/**
 * Keeps over a reload the person's name and session, and the messages that were not sent yet.
 *
 * The storage is a tab's own, so two tabs are two users. A browser may refuse to store anything;
 * then a reload is a new visit.
 */

const KEY = "tertulia";

/** @typedef {{getItem(key: string): string | null, setItem(key: string, value: string): void}} Storage */

/** The name, session, operator's secret and drafts of this tab. */
export class Remembered {
  name = "";
  /** @type {string | null} */
  token = null; // of the session to take over
  /** @type {string | null} */
  status = null; // the one that the person had chosen
  secret = ""; // of an operator, until that person leaves
  /** @type {Record<string, string>} */
  drafts = {}; // by the names of the conversations
  #storage;

  /** @param {Storage} storage */
  constructor(storage) {
    this.#storage = storage;
    try {
      Object.assign(this, JSON.parse(storage.getItem(KEY) ?? "{}"));
    } catch {
      // Nothing is remembered.
    }
  }

  /**
   * Change some of it.
   * @param {Partial<{name: string, token: string | null, status: string | null, secret: string,
   *   drafts: Record<string, string>}>} changes
   */
  save(changes) {
    Object.assign(this, changes);
    try {
      this.#storage.setItem(KEY, JSON.stringify(this));
    } catch {
      // The storage is full or forbidden: it is remembered until the page is closed.
    }
  }
}
