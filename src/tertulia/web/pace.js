/**
 * Decides in which picture of the browser the screen follows the store, so that a flood of messages
 * leaves time for keys. No DOM.
 */

// Between two updates: so many times as long as the last one took, within these bounds.
const PAUSE_FACTOR = 5;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 250;
const PATIENCE_MS = 100; // for which an update may wait for pictures in which keys are drawn

export class Pace {
  #update;
  #timers;
  #onPicture;
  #isPending = false;
  #isTyped = false; // something that may not be on the screen yet
  #dueAt = 0; // no update before this time

  /**
   * `onPicture(callback)` calls it just before the next picture.
   * @param {() => void} update
   * @param {import("./session.js").Timers} timers
   * @param {(callback: () => void) => void} onPicture
   */
  constructor(update, timers, onPicture) {
    this.#update = update;
    this.#timers = timers;
    this.#onPicture = onPicture;
  }

  /** Note that the person has typed something, which is to be drawn first. */
  noteTyping() {
    this.#isTyped = true;
  }

  /** Update the screen soon. */
  request() {
    if (this.#isPending) return;
    this.#isPending = true;
    const now = this.#timers.now();
    this.#dueAt = Math.max(this.#dueAt, now);
    const next = () => this.#onPicture(this.#draw);
    if (this.#dueAt > now) this.#timers.set(next, this.#dueAt - now);
    else next();
  }

  #draw = () => {
    const { now } = this.#timers;
    const beganAt = now();
    if (this.#isTyped && beganAt < this.#dueAt + PATIENCE_MS) {
      this.#isTyped = false;
      this.#onPicture(this.#draw);
      return;
    }
    this.#isPending = false;
    this.#update();
    const pauseMs = PAUSE_FACTOR * (now() - beganAt);
    this.#dueAt = beganAt + Math.min(Math.max(MIN_PAUSE_MS, pauseMs), MAX_PAUSE_MS);
  };
}
