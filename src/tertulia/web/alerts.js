/** The new messages of other users, until the screen has called for attention. Pure. */

const MAX_ALERTS = 100; // that nobody has popped; then the oldest are dropped

/**
 * A new message of another user; `calls`: it is direct, or a mention.
 * @typedef {{message: {sender: string, text: string, hook: boolean, conversation: string},
 *   calls: boolean, isDirect: boolean}} Alert
 */

export class Alerts {
  /** @type {Alert[]} */
  #waiting = [];

  /** @param {Alert} alert */
  add(alert) {
    this.#waiting.push(alert);
    if (this.#waiting.length > MAX_ALERTS) this.#waiting.shift();
  }

  /** Return those since the last call. */
  pop() {
    return this.#waiting.splice(0);
  }
}
