/**
 * The users who may not write in the general chat, as far as the page knows.
 *
 * A mute that ends by itself ends without an event. Times are texts of the server, RFC 3339 in UTC,
 * which sort as texts. The rules are those of `chat/mutes.py`. Pure.
 */

const MAX_MUTES = 1_000; // of users who are gone too; at the bound the oldest are forgotten

/** The mutes, by the names of the users. */
export class Mutes {
  /** @type {Map<string, {seq: number, until?: string}>} */
  #mutes = new Map(); // without `until`: it has no end, or nobody has told it

  /** @param {string} name */
  has(name) {
    return this.#mutes.has(name);
  }

  /**
   * Return when the mute of a user ends, if that is known.
   * @param {string} name
   */
  until(name) {
    return this.#mutes.get(name)?.until;
  }

  /**
   * Note a mute, which takes the place of an earlier one.
   * @param {string} name
   * @param {number} seq
   * @param {string} [until]
   */
  add(name, seq, until) {
    this.#mutes.delete(name);
    this.#mutes.set(name, { seq, until });
    if (this.#mutes.size > MAX_MUTES) {
      this.#mutes.delete([...this.#mutes.keys()][0]);
    }
  }

  /** @param {string} name */
  remove(name) {
    this.#mutes.delete(name);
  }

  /**
   * Note that a user has spoken in the general chat: an earlier mute has ended.
   * @param {string} name
   * @param {number | undefined} seq undefined for a direct message, which shows nothing
   */
  noteSpeaker(name, seq = -1) {
    if (seq > (this.#mutes.get(name)?.seq ?? seq)) {
      this.remove(name);
    }
  }

  /**
   * Learn from a list of users, unless an event is newer.
   * @param {number} seq
   * @param {{name: string, muted?: boolean}[]} users
   */
  learn(seq, users) {
    for (const { name, muted } of users) {
      const mute = this.#mutes.get(name);
      if (muted && !mute) {
        this.add(name, seq);
      } else if (mute && !muted && mute.seq <= seq) {
        this.remove(name);
      }
    }
  }

  /** The time at which the next mute ends, if one is known to end. */
  get nextEnd() {
    return [...this.#mutes.values()].flatMap(({ until }) => until ?? []).sort()[0];
  }

  /**
   * Forget the mutes that have ended.
   * @param {string} now
   */
  endThoseUntil(now) {
    for (const [name, { until }] of this.#mutes) {
      if (until !== undefined && until <= now) {
        this.remove(name);
      }
    }
  }
}
