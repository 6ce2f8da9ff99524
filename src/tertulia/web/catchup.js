/**
 * The general chat without holes and doubles: live events and pages of history, put in order.
 *
 * Events and pages in; out come the events to show and the request for the next missing page. Live
 * events wait while a page is missing, because the messages of the page come before them. The rules
 * are those of `client/catchup.py`, but for those about older servers: a page is as new as the server
 * that it came from. Pure.
 */

import { Recent } from "./recent.js";

export const MAX_PAGE = 200; // messages in a page of history
const MAX_WAITING = 10_000; // live events; at the bound they are dropped and fetched as history

/** @typedef {{type: "history", before: number, after?: number, limit: number}} PageRequest */

/**
 * What was shown of the general chat, and what is missing.
 *
 * With `firstPage` above 0 the newest page, of so many messages, is missing at first, and again when
 * another server, or another history, answers on a new connection.
 */
export class CatchUp {
  /** @type {PageRequest | null} */
  request = null; // for the next missing page
  oldestSeq; // no event before it was shown
  #firstPage;
  #epoch;
  #shownSeq; // events up to here were shown, or are in a missing page
  #seenSeq; // the highest number that this server has named
  #isRenumbered = false;
  /** @type {any[]} */
  #waiting = [];
  #nonces = new Recent();

  /**
   * @param {{seq: number, epoch: string}} welcome
   * @param {number} firstPage
   */
  constructor(welcome, firstPage) {
    this.#firstPage = firstPage;
    this.#epoch = welcome.epoch;
    this.#shownSeq = this.#seenSeq = welcome.seq;
    this.oldestSeq = welcome.seq + 1;
    this.request = this.#newest(welcome.seq);
  }

  /**
   * Continue on a new connection: what happened since the lost one is missing.
   *
   * Returns whether the numbers from before mean nothing any more: in another epoch, and when they
   * went back because an old copy of the history was put in the place of the newer one.
   * @param {{seq: number, epoch: string}} welcome
   */
  resume({ seq, epoch }) {
    const isRenumbered = epoch !== this.#epoch || seq < this.#seenSeq;
    this.#waiting = [];
    this.#epoch = epoch;
    this.#seenSeq = seq;
    this.#isRenumbered = isRenumbered;
    if (isRenumbered) {
      this.#shownSeq = seq;
      this.oldestSeq = seq + 1;
      this.request = this.#newest(seq);
    } else if (seq > this.#shownSeq) {
      this.request = this.#afterShown(seq + 1);
    }
    return isRenumbered;
  }

  /**
   * Add an event that came live; return what to show now.
   * @param {any} event
   * @returns {any[]}
   */
  addLive(event) {
    if (event.type === "gap") {
      this.#seenSeq = event.through;
      this.request = this.#afterShown(event.through + 1);
      return [];
    }
    this.#seenSeq = event.seq;
    if (this.request === null) {
      return this.#show([event]);
    }
    this.#waiting.push(event);
    if (this.#waiting.length > MAX_WAITING) {
      this.request = this.#afterShown(event.seq + 1);
      this.#waiting = [];
    }
    return [];
  }

  /**
   * Add the page that answers `request`; return what to show now.
   * @param {PageRequest} request
   * @param {{messages: any[], more: boolean}} page
   * @returns {any[]}
   */
  addPage(request, page) {
    if (request !== this.request) {
      return []; // more is missing by now; the next request has it all
    }
    this.request = null;
    const messages = page.messages.map(chatMessage);
    this.#noteOldest(messages);
    if (request.after === undefined) {
      // The first page: older than everything shown.
      return [...messages.filter((message) => this.#remember(message)), ...this.#showWaiting()];
    }
    const shown = this.#show(messages);
    if (page.more && messages.length > 0) {
      this.request = this.#afterShown(request.before);
      return shown;
    }
    return [...shown, ...this.#showWaiting()];
  }

  /**
   * Go on without the page that was refused; return what to show now.
   *
   * A gap stands where messages stay missing. A server without history says in its refusal whether
   * there were any, so that others coming and going leaves no gap.
   * @param {PageRequest} request
   * @param {{code: string, seq?: number}} error
   * @returns {any[]}
   */
  giveUp(request, error) {
    if (request !== this.request) {
      return [];
    }
    const after = request.after ?? 0;
    const through = request.before - 1;
    let leavesGap = true;
    if (error.code === "history_off") {
      leavesGap = this.#missesMessages(request, error);
      this.#shownSeq = Math.max(this.#shownSeq, through); // it never comes
    }
    this.request = null;
    return [...(leavesGap ? [{ type: "gap", after, through }] : []), ...this.#showWaiting()];
  }

  /**
   * Note a page of older messages that the person asked for and that is shown.
   * @param {{messages: any[]}} page
   */
  addOlderPage(page) {
    this.#noteOldest(page.messages);
  }

  /**
   * Return whether a server without history has, or may have, messages in a missing page.
   * @param {PageRequest} request
   * @param {{seq?: number}} refusal
   */
  #missesMessages(request, refusal) {
    if (request.after === undefined) {
      // What was said before a user came is not missing. What was said since the server was started
      // again is, if the user was here before.
      return this.#isRenumbered && (refusal.seq ?? 0) > 0;
    }
    return refusal.seq === undefined || refusal.seq > request.after;
  }

  /** @param {{seq: number}[]} messages */
  #noteOldest(messages) {
    if (messages.length > 0) {
      this.oldestSeq = Math.min(this.oldestSeq, messages[0].seq);
    }
  }

  /**
   * @param {number} seq
   * @returns {PageRequest | null}
   */
  #newest(seq) {
    return this.#firstPage ? { type: "history", before: seq + 1, limit: this.#firstPage } : null;
  }

  /**
   * @param {number} before
   * @returns {PageRequest}
   */
  #afterShown(before) {
    return { type: "history", after: this.#shownSeq, before, limit: MAX_PAGE };
  }

  #showWaiting() {
    const waiting = this.#waiting;
    this.#waiting = [];
    return this.#show(waiting);
  }

  /** @param {any[]} events */
  #show(events) {
    const shown = [];
    for (const event of events) {
      if (event.seq > this.#shownSeq) {
        this.#shownSeq = event.seq;
        if (event.type !== "message" || this.#remember(event)) {
          shown.push(event);
        }
      }
    }
    return shown;
  }

  /**
   * Note the nonce of a message; return false for one that was repeated under its nonce.
   * @param {{from: string, nonce?: string}} message
   */
  #remember({ from, nonce }) {
    return nonce === undefined || this.#nonces.isNew(from, nonce);
  }
}

/**
 * Return the event that a stored message was when it was said.
 * @param {any} stored
 */
export function chatMessage(stored) {
  return { ...stored, type: "message" };
}
