/** Older messages of the general chat, a page at a time, as far as there is room. Pure. */

/** What the history has before the oldest message here. */
export class OlderPages {
  isHistoryOff = false; // as the server has answered
  /** @type {any} */
  #underWay = null;
  /** @type {number | null | undefined} */
  #hiddenSeq = null; // of the oldest message of the last page, if the person ignores all of it
  #conversations;
  #catchUp;

  /**
   * @param {import("./conversations.js").Conversations} conversations
   * @param {import("./catchup.js").CatchUp} catchUp
   */
  constructor(conversations, catchUp) {
    this.#conversations = conversations;
    this.#catchUp = catchUp;
  }

  /**
   * Return the request for the next page; null if there is none, or it is under way.
   * @param {number} limit
   */
  request(limit) {
    const { general } = this.#conversations;
    if (!general.hasOlder || general.isLoading) {
      return null;
    }
    const before = this.#hiddenSeq ?? general.oldestSeq ?? this.#catchUp.oldestSeq;
    this.#underWay = { type: "history", before, limit };
    general.isLoading = true;
    return this.#underWay;
  }

  /**
   * Add the page that answers `request`.
   * @param {any} request
   * @param {any} answer null if there is none
   */
  add(request, answer) {
    if (request !== this.#underWay) {
      return; // its numbers mean nothing any more
    }
    const { general } = this.#conversations;
    general.isLoading = false;
    if (answer?.type === "history") {
      general.historyHasMore = answer.more;
      this.#catchUp.addOlderPage(answer);
      const { ignored } = this.#conversations;
      const shown = answer.messages.filter((/** @type {any} */ one) => !ignored.hides(one.from));
      general.addOlder(shown.map((/** @type {any} */ one) => this.#conversations.entryOf(one)));
      this.#hiddenSeq = shown.length ? null : answer.messages[0]?.seq;
    } else if (answer?.type === "error") {
      this.noteRefusal(answer);
    }
  }

  /** Offer no older messages: they have other numbers than those that are here. */
  forgetNumbers() {
    this.#underWay = this.#hiddenSeq = null;
    this.#conversations.general.isLoading = false;
    this.#conversations.general.historyHasMore = false;
  }

  /**
   * Note that the server has refused a page.
   * @param {{code: string}} error
   */
  noteRefusal({ code }) {
    if (code === "history_off") {
      this.isHistoryOff = true;
      this.#conversations.general.historyHasMore = false;
    }
  }
}
