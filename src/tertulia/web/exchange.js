/**
 * The messages between one user and the server, over one connection after another.
 *
 * Requests go out one after the other; answers and events come in and are put into the state and
 * the conversations. Nothing waits, and no message of the server makes it throw. The rules are those of
 * `chat/chat.py` and `tui/model/chatmodel.py`.
 */

import { Alerts } from "./alerts.js";
import { CatchUp } from "./catchup.js";
import { ServerClock, parseTime } from "./clock.js";
import { Conversations } from "./conversations.js";
import { GENERAL, told } from "./entries.js";
import * as explain from "./explain.js";
import { Origin, newNonce } from "./jobs.js";
import { OlderPages } from "./older.js";
import { RecentDirects } from "./recent.js";
import { SeenReports } from "./seen.js";
import { Sender } from "./sender.js";
import { orderWords } from "./order-words.js";
import { recall } from "./settings.js";
import { ORDER_EVENTS, State } from "./state.js";
import { _, format } from "./words.js";

/** @typedef {import("./entries.js").Conversation} Conversation */
/** @typedef {() => string} Words */

const FIRST_PAGE = 50; // messages shown on entering
const IN_ORDER = ["message", "joined", "left", "presence", "gap", ...ORDER_EVENTS];
const ABOUT_PEOPLE = ["joined", "left", "presence", ...ORDER_EVENTS];

/** Sends a user's requests, and adds the server's answers and events to the chat. */
export class Exchange {
  alerts = new Alerts();
  isCaughtUp = false; // the first page is here, or there is none
  #session;
  #note;
  #onQuit;
  #sender;
  #jobs;
  #directs = new RecentDirects();
  #seen;
  #statusWhenAsked = "";

  /**
   * @param {any} welcome
   * @param {import("./session.js").Session} session
   * @param {import("./session.js").Timers} timers
   * @param {(...changed: string[]) => void} note called with what has changed
   * @param {() => void} onQuit called when the person's last request has its turn
   */
  constructor(welcome, session, timers, note, onQuit) {
    this.#session = session;
    this.#note = note;
    this.#onQuit = onQuit;
    this.#sender = new Sender(session, timers, {
      onSent: (request) => this.#handleSent(request),
      onNoAnswer: (job) => this.#handleNoAnswer(job),
      onQuit,
    });
    this.#jobs = this.#sender.jobs;
    this.#seen = new SeenReports(session, timers);
    this.state = new State(welcome);
    this.clock = new ServerClock(timers);
    this.conversations = new Conversations(welcome.name);
    this.catchUp = new CatchUp(welcome, FIRST_PAGE);
    this.older = new OlderPages(this.conversations, this.catchUp);
    this.#seen.begin();
    this.#requestMissing();
    this.#sender.advance();
  }

  // --- requests ----------------------------------------------------------------------------------

  /**
   * Make a request of the person; it is sent when its turn comes.
   * @param {any} request
   * @param {(answer: any) => void} [onAnswer] called with the answer, or null if there is none
   */
  ask(request, onAnswer) {
    this.#session.noteActivity();
    this.#jobs.add(request, Origin.TYPED, { onAnswer });
    this.#sender.advance();
  }

  /**
   * Make a request whose answer the screen shows and keeps up to date, unless one is under way.
   *
   * A request that is lost with the connection is not repeated, and never answered.
   * @param {any} request
   * @param {(answer: any) => void} onAnswer called with the answer, or null if there is none
   */
  watch(request, onAnswer) {
    if (!this.#jobs.has(Origin.WATCHED)) {
      this.#jobs.add(request, Origin.WATCHED, { onAnswer });
      this.#sender.advance();
    }
  }

  /** Report the general chat as seen, if its end is on an active screen. */
  noteSeen() {
    const { isWatched, current, general } = this.conversations;
    if (isWatched && current === general && this.isCaughtUp && this.catchUp.request === null) {
      this.#seen.note(general.newestSeq);
    }
  }

  /**
   * Send a message; it is in its conversation at once, marked as on its way. Return that one.
   * @param {any} message of the type say or direct
   */
  sendMessage(message) {
    const request = { ...message, nonce: newNonce() };
    const to = message.type === "say" ? GENERAL : this.state.registeredName(message.to);
    const conversation = this.conversations.addOutgoing(request, to, this.clock.now());
    this.updateStatuses();
    this.#noteEntries(conversation);
    this.ask(request);
    return conversation;
  }

  /**
   * Ask for the messages before the oldest one here, unless there are none or they are under way.
   * @param {number} limit
   */
  fetchOlder(limit) {
    const request = this.isCaughtUp ? this.older.request(limit) : null;
    if (request !== null) {
      this.#note("conversations");
      this.ask(request, (answer) => {
        this.older.add(request, answer);
        this.#noteEntries(this.conversations.general);
      });
    }
  }

  /**
   * Send a message again that was perhaps not delivered.
   * @param {string} key
   */
  sendAgain(key) {
    const found = this.conversations.findUndelivered(key);
    if (found) {
      found.conversation.change(found.entry, { delivery: "sending", why: null });
      this.#noteEntries(found.conversation);
      this.ask(found.entry.request);
    }
  }

  /** Give up all requests, because there is no way back into the chat. */
  abandon() {
    this.#sender.abandon();
  }

  /**
   * Add words of the page to a conversation.
   * @param {Words} words
   * @param {Conversation} [conversation]
   */
  tell(words, conversation = this.conversations.general) {
    conversation.add(told(this.clock.now(), words));
    this.#noteEntries(conversation);
  }

  /** @param {any} request */
  #handleSent(request) {
    if (request.type === "status") {
      this.#statusWhenAsked = this.state.status;
      this.state.askedStatus = request.status;
      this.#note("me");
    }
  }

  /** @param {import("./jobs.js").Job} job */
  #handleNoAnswer({ request, onAnswer }) {
    onAnswer?.(null);
    if (request.type === "say" || request.type === "direct") {
      this.#markDelivery(request, { delivery: "unknown", why: explain.unanswered });
    } else if (request.type === "status") {
      this.state.answerStatus(false);
      this.#note("me");
      this.tell(explain.unanswered);
    }
  }

  /** Request the list of users and the page of history that are missing, if any. */
  #requestMissing(isAfterAPage = false) {
    if (this.catchUp.request !== null && !this.#jobs.has(Origin.CATCH_UP)) {
      // There may be many pages: one request of the person goes between two of them.
      this.#jobs.add(this.catchUp.request, Origin.CATCH_UP, { place: Number(isAfterAPage) });
    }
    if (this.state.needsUsers && !this.#jobs.has(Origin.REFRESH)) {
      this.#jobs.add({ type: "users" }, Origin.REFRESH, { place: 0 });
    }
  }

  // --- the connection ----------------------------------------------------------------------------

  /**
   * Continue on a new connection.
   * @param {any} welcome
   */
  resume(welcome) {
    this.clock.forget();
    const isRenumbered = this.catchUp.resume(welcome);
    this.state.resume(welcome, isRenumbered);
    if (isRenumbered) {
      this.older.forgetNumbers();
    }
    this.tell(() => _("Reconnected."));
    this.#seen.begin();
    this.#requestMissing();
    this.updateStatuses();
    this.#sender.advance();
  }

  /**
   * Note that the connection was lost.
   * @param {import("./session.js").End} end
   * @param {() => string} [words] the reason, if it differs from the text of `explain`
   */
  lose(end, words = () => explain.connectionEnded(end)) {
    if (this.#sender.interrupt()) {
      this.#onQuit();
      return;
    }
    this.tell(words);
    this.tell(() => _("Reconnecting automatically…"));
    this.state.answerStatus(false);
    this.#note("me", "people");
  }

  // --- messages from the server ------------------------------------------------------------------

  /**
   * Handle messages that came together.
   * @param {any[]} messages
   */
  receive(messages) {
    let receipt = 0;
    for (const message of messages) {
      receipt = Math.max(receipt, (message.type === "direct" && message.receipt) || 0);
      this.#handle(message);
    }
    if (receipt > 0) this.#session.tell({ type: "received", receipt });
    this.noteSeen();
    this.#sender.advance();
  }

  /** @param {any} message */
  #handle(message) {
    const { type, id, time } = message;
    if (type === "direct") {
      this.#addDirect(message);
    } else if (type !== "message" && type !== "users") {
      this.state.apply(message); // a message is applied when it is shown, a list as an answer
    }
    if (IN_ORDER.includes(type)) {
      this.clock.learn(time);
      this.#show(this.catchUp.addLive(message));
    }
    if (ABOUT_PEOPLE.includes(type)) {
      this.updateStatuses();
    }
    if (id !== undefined) {
      this.#handleAnswer(message);
    }
    this.#requestMissing();
  }

  /**
   * @param {any[]} events
   * @param {any} [refusal] of the page that held them
   */
  #show(events, refusal = null) {
    for (const event of events) {
      if (event.type === "gap") {
        this.tell(() => explain.messagesMissing(refusal));
      } else if (event.type === "message") {
        this.state.apply(event);
        this.#addMessage(event);
      } else if (ORDER_EVENTS.includes(event.type)) {
        const { name } = this.state;
        this.tell(() => orderWords((words) => words.orderWords(event, name, this.clock.now())));
      } else if (event.type === "presence" && !recall("statuses")) {
        continue; // it shows in the list of people
      } else if (event.type !== "joined" || event.name !== this.state.name) {
        this.#noteEntries(...this.conversations.foldPresence(event));
      }
    }
  }

  /** @param {any} event */
  #addMessage(event) {
    if (this.conversations.ignored.hides(event.from)) return;
    const entry = this.conversations.addMessage(event, this.isCaughtUp);
    const { own, mention, sender, text, hook } = entry;
    this.#noteEntries(this.conversations.general);
    if (this.isCaughtUp && !own) {
      const message = { sender, text, hook, conversation: GENERAL };
      this.#alert({ message, calls: mention, isDirect: false });
    }
  }

  /** @param {any} event */
  #addDirect(event) {
    if (!this.#directs.isNew(event) || event.from === this.state.name) {
      return; // it came before, or it is a note to oneself, which was added when it was sent
    }
    if (this.conversations.ignored.hides(event.from)) return;
    this.state.apply(event);
    const { conversation, entry } = this.conversations.addDirect(event);
    this.updateStatuses();
    this.#noteEntries(conversation);
    const { sender, text } = entry;
    const alerted = { sender, text, hook: false, conversation: conversation.name };
    this.#alert({ message: alerted, calls: true, isDirect: true });
  }

  /** @param {import("./alerts.js").Alert} alert */
  #alert(alert) {
    this.alerts.add(alert);
    this.#note("alerts");
  }


  // --- answers -----------------------------------------------------------------------------------

  /** @param {any} answer */
  #handleAnswer(answer) {
    const job = this.#sender.finish(answer);
    if (job === null) {
      return;
    }
    const { request, origin } = job;
    if (job.onAnswer) {
      job.onAnswer(answer);
    } else if (origin === Origin.CATCH_UP) {
      this.#handleMissingPage(request, answer);
      this.#requestMissing(true);
    } else if (request.type === "users") {
      if (answer.type === "error") this.state.refuseUsers();
      else this.state.apply(answer);
      this.updateStatuses();
    } else if (request.type === "status") {
      this.#handleStatus(request, answer);
    } else if (request.type === "say" || request.type === "direct") {
      this.#handleDelivery(job, answer);
    }
  }

  /**
   * @param {import("./catchup.js").PageRequest} request
   * @param {any} answer
   */
  #handleMissingPage(request, answer) {
    if (answer.type === "error") {
      this.older.noteRefusal(answer);
      this.#show(this.catchUp.giveUp(request, answer), answer);
    } else {
      this.conversations.general.historyHasMore &&= request.after !== undefined || answer.more;
      this.#show(this.catchUp.addPage(request, answer));
    }
    if (!this.isCaughtUp && this.catchUp.request === null) {
      this.isCaughtUp = true;
      const { name, status, users } = this.state;
      this.tell(() => explain.greeting(name, status, users.length));
    }
  }

  /**
   * @param {any} request
   * @param {any} answer
   */
  #handleStatus(request, answer) {
    this.state.answerStatus(answer.type === "ok");
    this.#note("me");
    if (answer.type === "error") {
      this.tell(() => explain.requestRefused(answer, request), this.conversations.current);
      return;
    }
    this.#session.noteStatus(request.status);
    if (request.status === this.#statusWhenAsked) {
      // The server announces a new status to everyone, and so to this user too.
      const words = () => format(_("You are already {status}."), request);
      this.tell(words, this.conversations.current);
    }
  }

  /**
   * @param {import("./jobs.js").Job} job
   * @param {any} answer
   */
  #handleDelivery({ request, isRepeated }, answer) {
    if (answer.type === "ok") {
      const time = answer.time === undefined ? undefined : parseTime(answer.time);
      this.#markDelivery(request, { delivery: "delivered", ...(time && { time }) });
    } else if (request.type === "say" && answer.code === "unavailable") {
      this.#markDelivery(request, { delivery: "delivered" });
      this.tell(() => explain.requestRefused(answer, request));
    } else if (isRepeated && answer.code === "user_not_connected") {
      this.#markDelivery(request, { delivery: "unknown", why: explain.perhapsDelivered });
    } else {
      const why = () => explain.requestRefused(answer, request);
      this.#markDelivery(request, { delivery: "failed", why });
    }
  }

  /**
   * @param {any} request
   * @param {Partial<import("./entries.js").Said>} changes
   */
  #markDelivery(request, changes) {
    const conversation = this.conversations.markDelivery(request, changes);
    if (conversation) this.#noteEntries(conversation);
  }

  /** @param {...Conversation} conversations */
  #noteEntries(...conversations) {
    this.#note("conversations", ...conversations.map(({ name }) => `entries:${name}`));
  }

  /** Update in the conversations which users are here. */
  updateStatuses() {
    for (const conversation of this.conversations.listed) {
      conversation.status = this.state.statusOf(conversation.name);
    }
    this.#note("me", "people", "conversations");
  }
}
