/**
 * What the person has had on an active screen, as it is reported to the server: the latest, and not
 * more often than the server counts (docs/protocol.md, Seen). The rules are those of
 * `chat/seen_reports.py`.
 */

const PAUSE_MS = 2_000; // between two reports

export class SeenReports {
  #session;
  #timers;
  #seen = 0;
  #reported = -1; // not even that there will be reports
  /** @type {any} */
  #timer = null; // until the next report may follow

  /**
   * @param {import("./session.js").Session} session
   * @param {import("./session.js").Timers} timers
   */
  constructor(session, timers) {
    this.#session = session;
    this.#timers = timers;
  }

  /** Begin again: the server knows nothing about a new session, not even that it will report. */
  begin() {
    this.#timers.clear(this.#timer);
    this.#seen = 0;
    this.#reported = -1;
    this.#report();
  }

  /**
   * Note that everything up to a message was on the screen.
   * @param {number} seq
   */
  note(seq) {
    this.#seen = Math.max(this.#seen, seq);
    if (this.#timer === null) this.#report();
  }

  #report() {
    this.#timer = null;
    if (this.#seen > this.#reported) {
      this.#reported = this.#seen;
      this.#session.tell({ type: "seen", seq: this.#seen });
      if (this.#seen) this.#timer = this.#timers.set(() => this.#report(), PAUSE_MS);
    }
  }
}
