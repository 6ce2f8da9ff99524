/** A server, a clock and a storage for the tests: nothing waits, and nothing leaves the process. */

import { readFileSync } from "node:fs";
import { setCommands, setOtherParser } from "../../src/tertulia/web/commands.js";
import { Chat } from "../../src/tertulia/web/chat.js";
import { loadOrderWords } from "../../src/tertulia/web/order-words.js";
import { parseTried, setTried } from "../../src/tertulia/web/tried/commands.js";
import { setLanguage, setSpanish } from "../../src/tertulia/web/words.js";

const WEB = new URL("../../src/tertulia/web/", import.meta.url);

/** Return the content of a JSON file. */
export function readJson(url) {
  return JSON.parse(readFileSync(url, "utf8"));
}

setCommands(readJson(new URL("commands.json", WEB)));
setTried(readJson(new URL("tried/commands.json", WEB)));
setOtherParser(parseTried);
for (const part of ["", "dialogs/", "order/", "operator/", "tried/", "nodes/"]) {
  const file = `${part}words.es.json`;
  setSpanish(readJson(new URL(file, WEB)), file);
}
await setLanguage("en");
await loadOrderWords();

/** Timers whose time passes only in `advance`. */
export class FakeTimers {
  time = 1_000;
  #due = new Map();
  #last = 0;

  now = () => this.time;
  wall = () => Date.UTC(2026, 10, 22, 12) + this.time;
  random = () => 0.5;
  set = (callback, delayMs) => {
    this.#last += 1;
    this.#due.set(this.#last, { at: this.time + delayMs, callback });
    return this.#last;
  };
  clear = (timer) => this.#due.delete(timer);

  advance(delayMs) {
    const end = this.time + delayMs;
    for (;;) {
      const next = [...this.#due].sort(([, one], [, other]) => one.at - other.at)[0];
      if (next === undefined || next[1].at > end) {
        break;
      }
      this.#due.delete(next[0]);
      this.time = Math.max(this.time, next[1].at);
      next[1].callback();
    }
    this.time = end;
  }
}

/** A storage as a tab has it. */
export class FakeStorage {
  #items = new Map();
  getItem = (key) => this.#items.get(key) ?? null;
  setItem = (key, value) => this.#items.set(key, value);
}

/** A chat and the server that it talks to. */
export class Table {
  sockets = [];
  timers = new FakeTimers();
  changes = [];
  #taken = 0;

  constructor(storage = new FakeStorage()) {
    this.storage = storage;
    const table = this;
    class FakeSocket {
      sent = [];
      isOpen = false;
      isClosed = false;

      constructor(url) {
        this.url = url;
        table.sockets.push(this);
        table.#taken = 0;
      }

      send(data) {
        if (!this.isOpen) {
          throw new Error("InvalidStateError");
        }
        if (!this.isClosed) {
          this.sent.push(JSON.parse(data));
        }
      }

      close() {
        this.isClosed = true;
      }
    }
    this.chat = new Chat({
      url: "ws://192.168.1.10:5000/ws",
      storage,
      WebSocket: FakeSocket,
      timers: this.timers,
    });
    this.chat.subscribe((changed) => this.changes.push(changed));
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** Return the requests since the last call, but for reports of what was seen. */
  requests() {
    const found = this.socket.sent.slice(this.#taken);
    this.#taken = this.socket.sent.length;
    return found.filter(({ type }) => type !== "seen");
  }

  /** Return all reports of what was seen, on this connection. */
  reports() {
    return this.socket.sent.filter(({ type }) => type === "seen").map(({ seq }) => seq);
  }

  /** Return the only request since the last call, but for its id; `answer` answers it. */
  request() {
    const found = this.requests();
    if (found.length !== 1) {
      throw new Error(`not one request: ${JSON.stringify(found)}`);
    }
    this.asked = found[0];
    const { id: _id, ...request } = found[0];
    return request;
  }

  /** Send messages that come together. */
  send(...messages) {
    this.socket.onmessage({ data: messages.map((message) => JSON.stringify(message)).join("\n") });
  }

  /** Answer the request that `request` has returned. */
  answer(message) {
    this.send({ ...message, id: this.asked.id });
  }

  open() {
    this.socket.isOpen = true;
    this.socket.onopen();
  }

  /** End the connection from outside. */
  lose() {
    this.socket.isClosed = true;
    this.socket.onclose({ code: 1006, reason: "" });
  }

  /** Accept the connection and the registration. */
  welcome(fields = {}) {
    this.open();
    const registration = this.request();
    this.answer(welcome({ name: registration.name, ...fields }));
    return registration;
  }

  /** Join, and answer the first requests with these messages and users. */
  enter({ name = "ana", history = [], more = false, users = ["ana", "luis"] } = {}) {
    this.chat.join(name);
    this.welcome();
    this.answerFirst({ history, more, users });
  }

  /** Answer the requests for the users and the first page. */
  answerFirst({ history = [], more = false, users = ["ana", "luis"], seq = 10 } = {}) {
    this.request();
    this.answer({ type: "users", seq, users: users.map((name) => ({ name, status: "ACTIVO" })) });
    this.request();
    this.answer({ type: "history", messages: history, more });
  }

  /** Return what a conversation shows, in short. */
  texts(name = "") {
    const { entries } = this.chat.conversations.find((one) => one.name === name);
    return entries.map((entry) => {
      switch (entry.kind) {
        case "said":
          return `${entry.sender}: ${entry.text}${entry.delivery === "delivered" ? "" : ` (${entry.delivery})`}`;
        case "told":
          return `* ${entry.words()}`;
        case "moved":
          return `~ ${[...entry.people.keys()].join(", ")}`;
        default:
          return `-- ${entry.day.getDate()}`;
      }
    });
  }
}

/** Return a table whose user has entered. */
export function entered(options) {
  const table = new Table();
  table.enter(options);
  return table;
}

/** Refuse the request that `request` has returned. */
export function refuse(table, code, fields = {}) {
  table.answer({ type: "error", code, message: "no", ...fields });
}

/** Return a welcome. */
export function welcome(fields = {}) {
  return {
    type: "welcome",
    name: "ana",
    address: "127.0.0.2",
    status: "ACTIVO",
    seq: 10,
    token: "t1",
    epoch: "e1",
    server: "tertulia",
    protocol: 1,
    idle_after: 120,
    max_text: 16384,
    ...fields,
  };
}

/** Return the time on the wire, some seconds after noon. */
export function time(seconds = 0) {
  return new Date(Date.UTC(2026, 10, 22, 12, 0, seconds)).toISOString();
}

/** Return a message of the general chat. */
export function message(seq, from, text, fields = {}) {
  return { type: "message", seq, time: time(seq), from, text, ...fields };
}
