/**
 * A user's session over as many connections as it takes: registering, reconnecting, taking over.
 *
 * Delays, and the status and idle time sent at a reconnection, follow `client/reconnect.py` and
 * `client/activity.py`.
 * Times are milliseconds of the monotonic clock.
 */

import { retryAfterMs } from "./jobs.js";
import { keyOf } from "./names.js";
import { ownKey, recall, remember } from "./settings.js";
import { Connection } from "./socket.js";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;
const ATTEMPT_WITHIN_MS = 15_000; // to connect and register
const NODE_WITHIN_MS = 5_000; // the same, where there are other nodes to try
const QUIET_MS = 40_000; // a server pings after 30 s; when it says nothing, it is asked for life
const ALIVE_WITHIN_MS = 10_000; // for the answer to a ping
const AWAKE_WITHIN_MS = 5_000; // the same, after the device may have slept
const TEMPORARY_REFUSALS = ["server_full", "register_timeout", "rate_limited", "unavailable"];
const FINAL_CLOSINGS = ["kicked"];

/**
 * How a connection ended: `closing` and `error` are the server's last words, if there were any.
 * @typedef {{closing: any, error: any}} End
 * @typedef {{now: () => number, wall: () => number, random: () => number,
 *   set: (callback: () => void, delayMs: number) => any, clear: (timer: any) => void}} Timers
 * @typedef {{onWelcome: (welcome: any) => void, onMessages: (messages: any[]) => void,
 *   onNodes: (told: any) => void, onLost: (end: End) => void,
 *   onRefused: (error: any) => void, onChange: () => void}} Handlers
 */

/** @type {Timers} */
export const BROWSER_TIMERS = {
  now: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (timer) => clearTimeout(timer),
};

/** One user's presence: a connection, or the attempts to make one. */
export class Session {
  /** @type {"none" | "connecting" | "connected" | "waiting"} */
  state = "none";
  /** @type {number | null} */
  retryAt = null; // when the next attempt begins
  /** @type {import("./nodes/nodes.js").Nodes | null} */
  nodes = null; // where several servers are one chat
  url; // of the current connection, or of the next one
  #WebSocketClass;
  #timers;
  #remembered;
  #handlers;
  /** @type {Connection | null} */
  #connection = null;
  #name = "";
  #code = "";
  #isNewcomer = true; // there was no welcome yet
  #delayMs = FIRST_DELAY_MS;
  #activeAt;
  /** @type {any} */
  #timer = null; // of an attempt, a delay, or the next sign of life
  /** @type {any} */
  #closing = null;
  /** @type {any} */
  #error = null;

  /**
   * @param {string} url
   * @param {typeof WebSocket} WebSocketClass
   * @param {Timers} timers
   * @param {import("./remembered.js").Remembered} remembered
   * @param {Handlers} handlers
   */
  constructor(url, WebSocketClass, timers, remembered, handlers) {
    this.url = url;
    this.#WebSocketClass = WebSocketClass;
    this.#timers = timers;
    this.#remembered = remembered;
    this.#handlers = handlers;
    this.#activeAt = timers.now();
  }

  /**
   * Register; take this tab's own session over, if it was of the same name.
   * @param {string} name
   * @param {string} code
   */
  start(name, code) {
    if (keyOf(name) !== keyOf(this.#remembered.name)) {
      this.#remembered.save({ name, token: null, status: null });
    }
    this.#name = name;
    this.#code = code || recall("code");
    this.#isNewcomer = true;
    this.noteActivity();
    this.#connect();
  }

  /**
   * Send a request; return its id, or null without a connection.
   * @param {object} request
   */
  send(request) {
    return this.state === "connected" && this.#connection ? this.#connection.send(request) : null;
  }

  /**
   * Send a request that has no answer, if there is a connection.
   * @param {object} request
   */
  tell(request) {
    if (this.state === "connected") this.#connection?.tell(request);
  }

  /** Note that the person does something. */
  noteActivity() {
    this.#activeAt = this.#timers.now();
  }

  /**
   * Note the status that the person has chosen and the server has granted.
   * @param {string} status
   */
  noteStatus(status) {
    this.#remembered.save({ status });
  }

  /** Try at once: the network may be back. A connection has to show that it has outlived the pause. */
  wakeUp() {
    if (this.state === "waiting") {
      this.#connect();
    } else if (this.state === "connected") {
      this.#askForLife(AWAKE_WITHIN_MS);
    }
  }

  /** End the session; there are no more attempts, and no handler is called. Idempotent. */
  leave() {
    this.tell({ type: "quit" });
    this.#stop();
    this.#remembered.save({ token: null, status: null, secret: "" });
  }

  #connect() {
    this.#setState("connecting");
    this.#closing = this.#error = null;
    this.#setTimer(this.nodes ? NODE_WITHIN_MS : ATTEMPT_WITHIN_MS, () => this.#connection?.close());
    /** @type {Connection} */
    const connection = new Connection(this.url, this.#WebSocketClass, {
      onOpen: () => connection.send(this.#registration()),
      onMessages: (messages) => this.#receive(connection, messages),
      onEnd: (reason) => connection === this.#connection && this.#end(reason),
    });
    this.#connection = connection;
  }

  #registration() {
    const { token, status } = this.#remembered;
    const key = ownKey();
    const idle = Math.max(0, this.#timers.now() - this.#activeAt) / 1_000;
    return {
      type: "register",
      name: this.#name,
      protocol: 1,
      receipts: true,
      nodes: true,
      ...(this.#code && { code: this.#code }),
      ...(key && { key }),
      ...(token && { token }),
      ...(status && { status }),
      ...(!this.#isNewcomer && { idle }),
    };
  }

  /**
   * @param {Connection} connection
   * @param {any[]} messages
   */
  #receive(connection, messages) {
    if (connection !== this.#connection) {
      return; // the session has ended
    }
    for (const message of messages) {
      if (message.type === "closing") {
        this.#closing = message;
      } else if (message.type === "error" && message.id === undefined) {
        this.#error = message.code === "undelivered" ? this.#error : message;
      } else if (message.type === "nodes") {
        this.#handlers.onNodes(message);
      }
    }
    if (this.state === "connected") {
      this.#expectLife();
      this.#handlers.onMessages(messages);
      return;
    }
    const place = messages.findIndex(({ type }) => type === "welcome" || type === "error");
    const answer = messages[place];
    if (answer?.type === "welcome") {
      this.#enter(answer);
      this.#handlers.onMessages(messages.slice(place + 1));
    } else if (answer) {
      this.#handleRefusal(answer);
    }
  }

  /** @param {any} welcome */
  #enter(welcome) {
    this.#expectLife();
    this.#isNewcomer = false;
    this.#delayMs = FIRST_DELAY_MS;
    remember("code", this.#code);
    this.#remembered.save({ name: welcome.name, token: welcome.token });
    this.#setState("connected");
    this.#handlers.onWelcome(welcome);
  }

  /** A device that has left its network hears no end, so a connection that is silent is tested. */
  #expectLife() {
    this.#setTimer(QUIET_MS, () => this.#askForLife(ALIVE_WITHIN_MS));
  }

  /** @param {number} withinMs */
  #askForLife(withinMs) {
    this.send({ type: "ping" });
    this.#setTimer(withinMs, () => this.#connection?.close());
  }

  /** @param {any} error */
  #handleRefusal(error) {
    this.#stop();
    if (!this.#isNewcomer && TEMPORARY_REFUSALS.includes(error.code)) {
      const waitMs = error.retry_after === undefined ? 0 : retryAfterMs(error);
      this.#wait(() => Math.max(waitMs, this.#nextDelayMs()));
    } else {
      this.#handlers.onRefused(error);
    }
  }

  /** @param {"lost" | "replaced" | "garbled"} reason */
  #end(reason) {
    const wasConnected = this.state === "connected";
    const closing = this.#closing;
    const error = this.#error;
    this.#stop();
    if (FINAL_CLOSINGS.includes(closing?.reason)) {
      this.#handlers.onRefused({ ...closing, code: closing.reason });
    } else if (reason !== "lost") {
      // The next connection would not be understood either, or would end the other one.
      this.#handlers.onRefused({ code: reason });
    } else if (wasConnected) {
      this.#wait(() => (closing ? askedDelayMs(closing) : this.#jittered(FIRST_DELAY_MS)));
      this.#handlers.onLost({ closing, error });
    } else if (this.#isNewcomer) {
      this.#handlers.onRefused({ code: "no_connection" });
    } else {
      this.#wait(this.#nextDelayMs);
    }
  }

  /**
   * Try again after a while, or at once if there is another node.
   * @param {() => number} delay in milliseconds
   */
  #wait(delay) {
    let delayMs;
    [this.url, delayMs] = this.nodes?.next(delay) ?? [this.url, delay()];
    if (delayMs < 0) {
      this.#connect();
      return;
    }
    this.retryAt = this.#timers.now() + delayMs;
    this.#setTimer(delayMs, () => this.#connect());
    this.#setState("waiting");
  }

  #nextDelayMs = () => {
    this.#delayMs = Math.min(2 * this.#delayMs, MAX_DELAY_MS);
    return this.#jittered(this.#delayMs);
  };

  /**
   * Vary a delay, so that the clients of a restarted server do not all come at once.
   * @param {number} delayMs
   */
  #jittered(delayMs) {
    return delayMs * (0.5 + this.#timers.random());
  }

  #stop() {
    const connection = this.#connection;
    this.#connection = null;
    this.#clearTimer();
    this.#setState("none");
    connection?.close();
  }

  /** @param {Session["state"]} state */
  #setState(state) {
    this.state = state;
    if (state !== "waiting") {
      this.retryAt = null;
    }
    this.#handlers.onChange();
  }

  /**
   * @param {number} delayMs
   * @param {() => void} callback
   */
  #setTimer(delayMs, callback) {
    this.#clearTimer();
    this.#timer = this.#timers.set(callback, delayMs);
  }

  #clearTimer() {
    this.#timers.clear(this.#timer);
  }
}

/**
 * Return when a server that stops wants its users back.
 * @param {{retry_after?: number}} closing
 */
function askedDelayMs({ retry_after: seconds = 0 }) {
  return Math.min(Math.max(seconds, 0) * 1_000, MAX_DELAY_MS);
}
