/** Remembers the latest items, so that a repeated one is noticed. Pure. */

const MAX_RECENT = 10_000; // an item that is repeated after so many others counts as new

/** The latest keys, up to 10,000 of them. */
export class Recent {
  /** @type {Set<string>} */
  #keys = new Set();

  /**
   * Note a key, a list of values; return whether it is not among the latest.
   * @param {...(string | number)} values
   */
  isNew(...values) {
    const key = JSON.stringify(values);
    if (this.#keys.has(key)) {
      return false;
    }
    this.#keys.add(key);
    if (this.#keys.size > MAX_RECENT) {
      const [oldest] = this.#keys;
      this.#keys.delete(oldest);
    }
    return true;
  }
}

/**
 * The latest direct messages.
 *
 * One comes again, under its receipt, after a take-over if the server has not got the
 * confirmation; and, under its nonce, after a restart if the sender has not got the answer.
 */
export class RecentDirects {
  #recent = new Recent();

  /**
   * Note a message; return whether it was not received before.
   * @param {{from: string, time: string, nonce?: string, receipt?: number}} message
   */
  isNew({ from, time, nonce, receipt }) {
    if (nonce !== undefined) {
      return this.#recent.isNew(from, nonce);
    }
    return receipt === undefined || this.#recent.isNew(from, receipt, time);
  }
}
