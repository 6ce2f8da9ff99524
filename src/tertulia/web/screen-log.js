/**
 * The messages of the conversation that is open. At most MAX_SHOWN entries are in the document: a
 * window over the entries, which follows the newest one or stays where the person reads.
 */
import { byId, element, Rows, setAttribute, setText } from "./dom.js";
import { paintEntry } from "./screen-entry.js";
import { visibleInALine } from "./safetext.js";
import { _, format, ngettext } from "./words.js";

/** @typedef {import("./chat.js").Chat} Chat */
/** @typedef {import("./entries.js").Entry} Entry */
/** @typedef {{entry: Entry, continues: boolean}} Item */

const MAX_SHOWN = 400;
const FOLLOWED = 60; // entries in the document, or more on a high screen, while it follows
const FLOOD = 100; // entries at once; while so many come, only those in view are drawn
const CALM_MS = 200; // for which none has come: the flood is over
const LEAST_ENTRY_PX = 24; // height of an entry of one line
const STEP = 100; // entries added at an edge that comes near
const NEAR_PX = 600; // from an edge: further entries are needed
const BOTTOM_PX = 40; // from the bottom: the newest entry counts as in view
const RUN_MS = 5 * 60_000; // a pause as long as this ends a run of messages of one person

export class LogView {
  /** @type {Chat} */
  #chat;
  #log = byId("log");
  #newer = byId("newer");
  #empty = element("p", { class: "empty faint" });
  /** @type {Rows<Item>} */
  #rows;
  /** @type {string | null} */
  #name = null; // of the conversation shown
  #start = 0;
  #end = 0;
  #isDrawnToEnd = true; // the newest entry was in the document when it was drawn last
  #height = 0; // of the log when it was scrolled to the end
  #seenKey = ""; // of the last entry that was in view at the bottom
  #calm = 0; // the timer of a flood
  isFollowing = true;
  /** @type {(entry: Entry) => Node[]} */
  actionsFor = () => []; // further ones, for an operator

  /**
   * `onWatch()` is called when the newest message has come into view, or has left it.
   * @param {Chat} chat
   * @param {() => void} onWatch
   * @param {(seq: number) => void} showSeen
   */
  constructor(chat, onWatch, showSeen) {
    const actions = { sendAgain: (/** @type {string} */ key) => chat.sendAgain(key), showSeen };
    this.#chat = chat;
    this.onWatch = onWatch;
    this.#rows = new Rows(this.#log, {
      keyOf: ({ entry }) => entry.key,
      isSame: (old, item) => old.entry === item.entry && old.continues === item.continues,
      paint: (item) => {
        const painted = paintEntry(item, actions);
        painted.append(...this.actionsFor(item.entry));
        return painted;
      },
    });
    this.#log.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.#newer.addEventListener("click", () => this.goToNewest());
    new ResizeObserver(() => this.isFollowing && this.#scrollToEnd()).observe(this.#log);
  }

  translate() {
    this.#rows.repaint();
    setText(this.#empty, _("There are no messages here yet."));
  }

  /** Show what the conversation that is open holds now. */
  update() {
    const { name, entries, isLoading } = this.#conversation();
    if (name !== this.#name) {
      this.#name = name;
      this.#rows.clear();
      this.#follow(true);
    }
    setAttribute(this.#log, "aria-label", name === "" ? _("General") : visibleInALine(name));
    setAttribute(this.#log, "aria-busy", String(isLoading));
    if (entries.length === 0) this.#log.append(this.#empty);
    else this.#empty.remove();
    const firstKey = this.#rows.entries().next().value?.[0];
    const start = Math.max(0, entries.findIndex((entry) => entry.key === firstKey));
    const viewed = Math.ceil(this.#log.clientHeight / LEAST_ENTRY_PX);
    const seen = entries.findLastIndex(({ key }) => key === this.#seenKey);
    const isFlooded = firstKey && entries.length - seen > FLOOD;
    const followed = Math.min(isFlooded ? viewed : Math.max(FOLLOWED, viewed), MAX_SHOWN);
    clearTimeout(this.#calm);
    if (isFlooded) this.#calm = setTimeout(() => this.update(), CALM_MS);
    if (this.isFollowing) this.#draw(entries.length - followed, entries.length);
    else this.#draw(start, start + MAX_SHOWN);
    if (!this.isFollowing || this.#log.scrollHeight <= this.#log.clientHeight) this.#fillEdges();
    this.#showNewer();
  }

  goToNewest() {
    this.#follow(true);
    this.update();
  }

  /** @returns {Chat["conversations"][number]} */
  #conversation() {
    // @ts-ignore: the current conversation is always among them
    return this.#chat.conversations.find(({ name }) => name === this.#chat.current);
  }

  /**
   * Put the entries from `start` to `end` into the document; the lines being read do not move.
   * @param {number} start
   * @param {number} end
   */
  #draw(start, end) {
    const { entries } = this.#conversation();
    this.#start = Math.max(0, start);
    this.#end = Math.min(entries.length, end);
    this.#isDrawnToEnd = this.#end === entries.length;
    /** @type {Item[]} */
    const items = [];
    for (let index = this.#start; index < this.#end; index++) {
      const continues = index > this.#start && isRun(entries[index - 1], entries[index]);
      items.push({ entry: entries[index], continues });
    }
    const kept = this.isFollowing ? null : this.#placeInView();
    this.#rows.show(items);
    if (this.isFollowing) {
      this.#seenKey = entries.at(-1)?.key ?? "";
      this.#scrollToEnd();
    } else if (kept) {
      const node = this.#rows.nodeOf(kept.key);
      if (node) this.#log.scrollTop += node.offsetTop - this.#log.scrollTop - kept.offset;
    }
  }

  /**
   * Return an entry in view, and how far below the log's upper edge it begins: the first one that
   * begins in view, because one that is cut off there may change its height.
   */
  #placeInView() {
    const top = this.#log.scrollTop;
    let cutOff = null;
    for (const [key, { node }] of this.#rows.entries()) {
      const offset = node.offsetTop - top;
      if (offset >= this.#log.clientHeight) break;
      if (offset >= 0) return { key, offset };
      cutOff = { key, offset };
    }
    return cutOff;
  }

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    // Nobody has scrolled, the composer has grown or shrunk: the observer will go to the end.
    if (this.isFollowing && clientHeight !== this.#height) return;
    const isAtBottom = scrollHeight - scrollTop - clientHeight <= BOTTOM_PX;
    this.#follow(isAtBottom && this.#isDrawnToEnd);
    this.#fillEdges();
    this.#showNewer();
  }

  /** @param {boolean} isFollowing */
  #follow(isFollowing) {
    if (this.isFollowing === isFollowing) return;
    this.isFollowing = isFollowing;
    this.onWatch();
  }

  /** Bring further entries into the document if an edge of it is near. */
  #fillEdges() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    const { name, entries, hasOlder, isLoading } = this.#conversation();
    const isNearTop = scrollTop < NEAR_PX;
    if (isNearTop && this.#start === 0) {
      if (hasOlder && !isLoading) this.#chat.fetchOlder(name);
    } else if (this.isFollowing) {
      return; // `update` draws what is new.
    } else if (isNearTop) {
      const start = this.#start - STEP;
      this.#draw(start, Math.min(this.#end, start + MAX_SHOWN));
    } else if (scrollHeight - scrollTop - clientHeight < NEAR_PX && this.#end < entries.length) {
      const end = this.#end + STEP;
      this.#draw(Math.max(this.#start, end - MAX_SHOWN), end);
    }
  }

  #scrollToEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#height = this.#log.clientHeight;
  }

  #showNewer() {
    const { entries } = this.#conversation();
    let count = 0;
    for (let index = entries.length - 1; index >= 0; index--) {
      const entry = entries[index];
      if (entry.key === this.#seenKey) break;
      if (entry.kind === "said" && !entry.own) count++;
    }
    const words = count
      ? format(ngettext("{count} new", "{count} new", count), { count })
      : _("Go to the newest");
    setText(this.#newer, words);
    this.#newer.hidden = this.isFollowing;
  }
}

/**
 * Return whether a message goes on with what the same person wrote before.
 * @param {Entry} before
 * @param {Entry} entry
 */
function isRun(before, entry) {
  return (
    before.kind === "said" &&
    entry.kind === "said" &&
    before.sender === entry.sender &&
    before.hook === entry.hook &&
    Number(entry.time) - Number(before.time) < RUN_MS
  );
}
