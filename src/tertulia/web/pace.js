/** How fast the page may make requests, once its server has refused one for coming too soon. */

const SLACK = 1.1; // slower than the server asks for, because not all requests take equally long

/**
 * The time of the next request, in milliseconds of the monotonic clock.
 *
 * There is none to wait for until the server has refused a request. From then on the requests keep
 * the interval that it named, also over reconnections: a server remembers whom it has refused.
 */
export class Pace {
  nextAt = 0;
  #intervalMs = 0;
  #slowedAt = 0;

  /**
   * Take the next turn for a request, and return when that is.
   * @param {number} now
   */
  takeTurn(now) {
    const at = Math.max(now, this.nextAt);
    this.nextAt = at + this.#intervalMs;
    return at;
  }

  /**
   * Note that a request, made at `sentAt`, was refused until `retryAfterMs` from now.
   * @param {number} sentAt
   * @param {number} now
   * @param {number} retryAfterMs
   */
  slowDown(sentAt, now, retryAfterMs) {
    if (sentAt >= this.#slowedAt) {
      // It was made at the present pace, which is too fast.
      this.#intervalMs = Math.max(this.#intervalMs, retryAfterMs) * SLACK;
      this.#slowedAt = now;
    }
    this.nextAt = Math.max(this.nextAt, now + this.#intervalMs);
  }
}
