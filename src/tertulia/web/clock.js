/**
 * The server's clock, as the times of its events tell it.
 *
 * Everyone in a chat sees the same times and days in the same order, whatever their own clocks say.
 */

/**
 * Return the moment of a time on the wire, or null if it is no time.
 * @param {string} stamp
 */
export function parseTime(stamp) {
  const moment = new Date(stamp);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

/** What time it is for the server; until it has told any time, this computer's clock counts. */
export class ServerClock {
  /** @type {number | null} */
  #aheadMs = null; // of the monotonic clock
  #timers;

  /** @param {{now: () => number, wall: () => number}} timers */
  constructor(timers) {
    this.#timers = timers;
  }

  /** Begin again: on a new connection another clock may have to be learned. */
  forget() {
    this.#aheadMs = null;
  }

  /**
   * Learn from the time of an event that has just come. One that was late does no harm.
   * @param {string} stamp
   */
  learn(stamp) {
    const moment = parseTime(stamp);
    if (moment !== null) {
      this.#aheadMs = Math.max(this.#aheadMs ?? -Infinity, moment.getTime() - this.#timers.now());
    }
  }

  /** Return the present time. */
  now() {
    const { now, wall } = this.#timers;
    return new Date(this.#aheadMs === null ? wall() : now() + this.#aheadMs);
  }
}
