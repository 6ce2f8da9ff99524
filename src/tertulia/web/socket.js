/**
 * One WebSocket connection to the server: requests out, messages in, and how it ended.
 *
 * A text message of the server holds one or more lines, each a JSON object. Nothing here waits or
 * tries again: that is the session's.
 */

/**
 * `onMessages` gets the messages that came together; `onEnd` is called once, with "replaced" if
 * another connection has taken the session over, and with "garbled" if the server sent something
 * that is not a message.
 * @typedef {{onOpen: () => void, onMessages: (messages: any[]) => void,
 *   onEnd: (reason: "lost" | "replaced" | "garbled") => void}} Handlers
 */

/** A connection, from the attempt to make it until its end. */
export class Connection {
  #socket;
  #lastId = 0;
  #isEnded = false;
  #handlers;

  /**
   * @param {string} url
   * @param {typeof WebSocket} WebSocketClass
   * @param {Handlers} handlers
   */
  constructor(url, WebSocketClass, handlers) {
    this.#handlers = handlers;
    this.#socket = new WebSocketClass(url);
    this.#socket.onopen = () => this.#isEnded || handlers.onOpen();
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = ({ reason }) => this.#end(reason === "replaced" ? reason : "lost");
  }

  /**
   * Send a request; return its id, which its answer has too.
   * @param {object} request
   */
  send(request) {
    this.#lastId += 1;
    this.#socket.send(JSON.stringify({ ...request, id: this.#lastId }));
    return this.#lastId;
  }

  /**
   * Send a request that has no answer.
   * @param {object} request
   */
  tell(request) {
    this.#socket.send(JSON.stringify(request));
  }

  /** Close the connection, and call `onEnd` now: a dead one can take minutes to close. Idempotent. */
  close() {
    this.#end("lost");
  }

  /** @param {unknown} data */
  #receive(data) {
    if (this.#isEnded) {
      return;
    }
    const messages = decode(data);
    if (messages === null) {
      this.#end("garbled");
      return;
    }
    for (const { type, id } of messages) {
      if (type === "ping") {
        this.tell(id === undefined ? { type: "pong" } : { type: "pong", id });
      }
    }
    this.#handlers.onMessages(messages);
  }

  /** @param {"lost" | "replaced" | "garbled"} reason */
  #end(reason) {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#socket.close();
      this.#handlers.onEnd(reason);
    }
  }
}

/**
 * Return the messages in the lines of a text; null if one of them is no message.
 * @param {unknown} data
 * @returns {any[] | null}
 */
function decode(data) {
  try {
    const lines = /** @type {string} */ (data).split("\n").filter((line) => line.trim() !== "");
    const messages = lines.map((line) => JSON.parse(line));
    return messages.every((message) => typeof message?.type === "string") ? messages : null;
  } catch {
    return null;
  }
}
