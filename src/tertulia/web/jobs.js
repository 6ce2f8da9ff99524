/**
 * Requests to the server, one after another: each is answered before the next one is sent.
 *
 * A direct message whose receiver takes its time to confirm it is set aside, so that the others do
 * not wait for that. It only keeps the order; the `Chat` sends and receives, and passes the time, in
 * milliseconds. The rules are those of `chat/jobs.py`. Pure but for the nonces.
 */

const ANSWER_WITHIN_MS = 60_000; // then the next has its turn
const CONFIRMED_WITHIN_MS = 1_000; // then a direct message is set aside
const MAX_SET_ASIDE = 100; // direct messages; at the bound the others wait
const RETRY_AFTER_S = 1; // when the server asks to wait and does not say how long
const MAX_RETRY_AFTER_S = 60; // when the server asks to wait longer
const NONCE_BYTES = 9;
const SLACK = 1.1; // slower than the server asks for, because not all requests take equally long

/** Why a request is made. */
export const Origin = {
  TYPED: "typed", // the person asked for it
  REFRESH: "refresh", // the state needs the answer
  CATCH_UP: "catch-up", // a page of history that is missing
  WATCHED: "watched", // the screen keeps the answer up to date
};

/**
 * A request to be carried out. `isRepeated`: it was sent before, on a connection that was lost.
 * `onAnswer` is called with the answer, or with null if there is none.
 * @typedef {{request: any, origin: string, isRepeated: boolean, onAnswer?: (answer: any) => void}} Job
 * @typedef {{job: Job, id: number, at: number}} Sent
 */

/** A queue of requests, the one that was sent and is not answered yet, and those set aside. */
export class Jobs {
  /** @type {Job[]} */
  #waiting = [];
  /** @type {Sent | null} */
  #underWay = null;
  /** @type {Map<number, Sent>} */
  #aside = new Map(); // by the ids of their requests, in their order
  #pace = new Pace();
  /** @type {Map<string, number>} */
  #busyUntil = new Map(); // receivers that get too many direct messages

  /** The time of the next action that does not wait for an answer; null if there is none. */
  get wakeAt() {
    const sent = this.#underWay;
    if (sent !== null) {
      return sent.at + (this.#maySetAside(sent) ? CONFIRMED_WITHIN_MS : ANSWER_WITHIN_MS);
    }
    const times = this.#candidates().map(({ notBefore }) => notBefore);
    return times.length === 0 ? null : Math.max(this.#pace.nextAt, Math.min(...times));
  }

  /** Whether the person leaves when everything else is done. */
  get hasQuit() {
    return this.#waiting.some(({ request }) => request.type === "quit");
  }

  /**
   * Add a request after `place` others, or as the last one.
   *
   * A message gets a nonce, so that it can be repeated without being said twice.
   * @param {any} request
   * @param {string} origin
   * @param {{place?: number, onAnswer?: (answer: any) => void}} [options]
   */
  add(request, origin, { place = this.#waiting.length, onAnswer } = {}) {
    const isMessage = request.type === "say" || request.type === "direct";
    const named = isMessage && !request.nonce ? { ...request, nonce: newNonce() } : request;
    this.#waiting.splice(place, 0, { request: named, origin, isRepeated: false, onAnswer });
  }

  /**
   * Put a request back that could not be sent: it is the next one.
   * @param {Job} job
   */
  putBack(job) {
    this.#waiting.unshift(job);
  }

  /**
   * Return whether a request of this origin is waiting or under way.
   * @param {string} origin
   */
  has(origin) {
    return [...this.#waiting, this.#underWay?.job].some((job) => job?.origin === origin);
  }

  /**
   * Remove and return the next request, if it may be sent now.
   * @param {number} now
   */
  popReady(now) {
    if (this.#underWay !== null || now < this.#pace.nextAt) {
      return null;
    }
    const ready = this.#candidates().find(({ notBefore }) => now >= notBefore);
    return ready === undefined ? null : this.#waiting.splice(ready.place, 1)[0];
  }

  /**
   * Note that a request was sent.
   * @param {Job} job
   * @param {number} id
   * @param {number} now
   */
  start(job, id, now) {
    this.#pace.takeTurn(now);
    this.#underWay = { job, id, at: now };
  }

  /**
   * Return the request that is answered; one that is refused for now waits once more.
   * @param {any} answer
   * @param {number} now
   * @returns {Job | null}
   */
  finish(answer, now) {
    const sent = this.#remove(answer.id);
    if (sent === null) {
      return null;
    }
    const { job } = sent;
    const isDirect = job.request.type === "direct";
    if (answer.code === "rate_limited" && job.request.type !== "operator") {
      this.#pace.slowDown(sent.at, now, retryAfterMs(answer));
    } else if (isDirect && answer.code === "busy") {
      this.#busyUntil.set(job.request.to, now + retryAfterMs(answer));
    } else {
      if (isDirect) {
        this.#busyUntil.delete(job.request.to);
      }
      return job;
    }
    this.putBack(job);
    return null;
  }

  /**
   * Set a direct message aside that is still not confirmed, so that the next has its turn.
   * @param {number} now
   */
  setAside(now) {
    const sent = this.#underWay;
    if (sent !== null && this.#maySetAside(sent) && now >= sent.at + CONFIRMED_WITHIN_MS) {
      this.#underWay = null;
      this.#aside.set(sent.id, sent);
    }
  }

  /**
   * Return the request that was not answered in time, if any; an answer is now ignored.
   * @param {number} now
   */
  giveUpLate(now) {
    const sent = this.#underWay;
    if (sent === null || now < sent.at + ANSWER_WITHIN_MS) {
      return null;
    }
    this.#underWay = null;
    return sent.job;
  }

  /**
   * Put the unanswered requests back into the queue, because the connection was lost.
   *
   * Messages can be repeated: they have a nonce.
   */
  interrupt() {
    const lost = [...this.#aside.values(), ...(this.#underWay === null ? [] : [this.#underWay])];
    this.#underWay = null;
    this.#aside.clear();
    this.#busyUntil.clear();
    const typed = lost.filter(({ job }) => job.origin === Origin.TYPED);
    this.#waiting.unshift(...typed.map(({ job }) => ({ ...job, isRepeated: true })));
  }

  /** Remove and return every request, because there is no way back into the chat. */
  abandon() {
    this.interrupt();
    return this.#waiting.splice(0);
  }

  /** @param {Sent} sent */
  #maySetAside(sent) {
    return sent.job.request.type === "direct" && this.#aside.size < MAX_SET_ASIDE;
  }

  /**
   * Return the places of the requests that may be the next, and from when on.
   *
   * A direct message to a busy receiver lets the others pass, but the person's last request.
   */
  #candidates() {
    const candidates = [];
    for (const [place, { request }] of this.#waiting.entries()) {
      if (request.type === "quit" && place > 0) {
        break;
      }
      const busyUntil = request.type === "direct" ? this.#busyUntil.get(request.to) : undefined;
      candidates.push({ place, notBefore: busyUntil ?? 0 });
    }
    return candidates;
  }

  /** @param {number | undefined} id */
  #remove(id) {
    const sent = this.#underWay;
    if (sent !== null && id === sent.id) {
      this.#underWay = null;
      return sent;
    }
    const aside = id === undefined ? undefined : this.#aside.get(id);
    if (aside === undefined) {
      return null;
    }
    this.#aside.delete(aside.id);
    return aside;
  }
}

/**
 * How fast the page may make requests, once its server has refused one for coming too soon.
 *
 * There is none to wait for until the server has refused a request. From then on the requests keep
 * the interval that it named, also over reconnections: a server remembers the users it has refused.
 */
class Pace {
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

/**
 * Return a random name for a message, which makes it one message however often it is sent.
 *
 * `crypto.randomUUID` is missing on a page that came over plain http.
 */
export function newNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Return how many milliseconds to wait before a request that was refused for now is sent again.
 * @param {{retry_after?: number}} error
 */
export function retryAfterMs(error) {
  const seconds = error.retry_after || RETRY_AFTER_S;
  return Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S) * 1_000;
}
