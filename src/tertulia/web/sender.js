/**
 * Sends the requests of a user when their turn comes, as far as there is a connection.
 *
 * `Jobs` decides whose turn it is; here are the connection and the time. The rules are those of
 * `chat/chat.py`.
 */

import { Jobs } from "./jobs.js";

/**
 * `onSent` is called with a request that was sent, `onNoAnswer` with a job that has got no answer,
 * `onQuit` when the person's last request has its turn.
 * @typedef {{onSent: (request: any) => void, onNoAnswer: (job: import("./jobs.js").Job) => void,
 *   onQuit: () => void}} Handlers
 */

/** The requests of a user, over as many connections as it takes. */
export class Sender {
  jobs = new Jobs();
  #session;
  #timers;
  #handlers;
  /** @type {any} */
  #timer = null;

  /**
   * @param {import("./session.js").Session} session
   * @param {import("./session.js").Timers} timers
   * @param {Handlers} handlers
   */
  constructor(session, timers, handlers) {
    this.#session = session;
    this.#timers = timers;
    this.#handlers = handlers;
  }

  /** Send the next request or give one up, if it is time for that. */
  advance() {
    const now = this.#timers.now();
    this.jobs.setAside(now);
    const late = this.jobs.giveUpLate(now);
    if (late !== null) {
      this.#handlers.onNoAnswer(late);
    }
    let job = null;
    while (this.#session.state === "connected" && (job = this.jobs.popReady(now)) !== null) {
      this.#send(job, now);
    }
    this.#timers.clear(this.#timer);
    const wakeAt = this.#session.state === "connected" ? this.jobs.wakeAt : null;
    if (wakeAt !== null) {
      this.#timer = this.#timers.set(() => this.advance(), Math.max(0, wakeAt - now));
    }
  }

  /**
   * Return the request that is answered; one that is refused for now waits once more.
   * @param {any} answer
   */
  finish(answer) {
    return this.jobs.finish(answer, this.#timers.now());
  }

  /** Note that the connection was lost; return whether the person was about to leave. */
  interrupt() {
    this.#timers.clear(this.#timer);
    this.jobs.interrupt();
    return this.jobs.hasQuit;
  }

  /** Give up all requests, because there is no way back into the chat. */
  abandon() {
    this.#timers.clear(this.#timer);
    for (const job of this.jobs.abandon()) {
      this.#handlers.onNoAnswer(job);
    }
  }

  /**
   * @param {import("./jobs.js").Job} job
   * @param {number} now
   */
  #send(job, now) {
    if (job.request.type === "quit") {
      this.#handlers.onQuit();
      return;
    }
    const id = /** @type {number} */ (this.#session.send(job.request));
    this.jobs.start(job, id, now);
    this.#handlers.onSent(job.request);
  }
}
