/** What becomes of a line that a person has typed: a request, a hint, or a command for the screen. */

import { CommandError, commandWord, parse } from "./commands.js";
import { GENERAL } from "./entries.js";
import { historyOff, notConnected, requestRefused } from "./explain.js";
import { keyOf } from "./names.js";
import { visibleInALine } from "./safetext.js";
import { similarName } from "./similar.js";
import { checkText } from "./texts.js";
import { N_, _, format } from "./words.js";

/** @typedef {() => string} Words */
/** @typedef {import("./chat.js").Chat} Chat */
/** @typedef {import("./exchange.js").Exchange} Exchange */
/**
 * A line was carried out, with a note to show if it went elsewhere; or it cannot be and stays in the
 * composer, for now if it takes a part of the page that has not come yet; or only the screen can do it.
 * @typedef {{ok: true, note?: Words} | {hint: Words} | {isLater: true} |
 *   {command: string, argument?: string, request?: any}} Submitted
 */

/** @type {Submitted} */
const OK = { ok: true };
/** @type {Submitted} */
const NOT_CONNECTED = { hint: notConnected };

/**
 * Carry out a typed line in the current conversation.
 * @param {string} line
 * @param {Chat} chat
 * @param {Exchange | null} exchange null without a connection
 * @returns {Submitted}
 */
export function carryOutLine(line, chat, exchange) {
  try {
    const command = parse(line);
    return command === null ? OK : carryOut(command, chat, exchange);
  } catch (error) {
    if (error instanceof CommandError) {
      return { hint: error.words };
    }
    throw error;
  }
}

/**
 * @param {any} command
 * @param {Chat} chat
 * @param {Exchange | null} exchange
 * @returns {Submitted}
 */
function carryOut(command, chat, exchange) {
  switch (command.type) {
    case "say":
      return sendMessage(
        chat.current === GENERAL ? command : { ...command, type: "direct", to: chat.current },
        chat,
        exchange,
      );
    case "all":
      return sendMessage({ ...command, type: "say" }, chat, exchange);
    case "direct":
      return sendMessage(command, chat, exchange);
    case "open":
      return unknownName(command.name, exchange) ?? done(chat.open(command.name));
    case "status":
      return exchange === null ? NOT_CONNECTED : done(chat.setStatus(command.status));
    case "history":
      return exchange === null ? NOT_CONNECTED : showOlder(command.limit, chat, exchange);
    case "resend":
      return exchange === null ? NOT_CONNECTED : sendLastAgain(exchange);
    case "close":
      return closeConversation(command.name, chat);
    case "later":
      return { isLater: true };
    case "users":
      return { command: "people" };
    case "quit":
      return { command: "leave" };
    default:
      return {
        command: command.type,
        argument: command.choice ?? command.name ?? command.text ?? command.secret ?? command.seq,
        request: command.request,
      };
  }
}

/**
 * @param {any} message
 * @param {Chat} chat
 * @param {Exchange | null} exchange
 * @returns {Submitted}
 */
function sendMessage(message, chat, exchange) {
  const unknown = message.to === chat.current ? null : unknownName(message.to, exchange);
  if (unknown !== null) {
    return unknown;
  }
  const code = checkText(message.text);
  if (code !== null) {
    return { hint: () => requestRefused({ code }, message) };
  }
  if (exchange === null) {
    return NOT_CONNECTED;
  }
  const conversation = exchange.sendMessage(message);
  const { name } = conversation;
  if (name === chat.current) {
    return OK; // else the next line is for whom it was before
  }
  const { key } = conversation.entries.at(-1);
  const text = name === GENERAL ? N_("Sent to everyone.") : N_("Sent only to {name}.");
  const sent = () => format(_(text), { name: visibleInALine(name) });
  return { ok: true, note: () => conversation.entries.find((one) => one.key === key)?.why?.() ?? sent() };
}

/**
 * Return the hint for a name that nobody here has; null if it can be written to.
 * @param {string | undefined} name undefined for everyone
 * @param {Exchange | null} exchange
 * @returns {Submitted | null}
 */
function unknownName(name, exchange) {
  if (name === undefined || exchange === null || exchange.conversations.find(name)) {
    return null;
  }
  const { state } = exchange;
  if (!state.knowsUsers || state.statusOf(state.registeredName(name)) !== null) {
    return null;
  }
  const guess = similarName(name, state.names());
  const text =
    guess === null
      ? N_("Nobody called “{name}” is here.")
      : N_("Nobody called “{name}” is here. Did you mean “{guess}”?");
  return { hint: () => format(_(text), { name: visibleInALine(name), guess: guess ?? "" }) };
}

/**
 * Close a conversation; without a name the current one.
 * @param {string} typed
 * @param {Chat} chat
 * @returns {Submitted}
 */
function closeConversation(typed, chat) {
  const name = typed || chat.current;
  if (name === GENERAL) return { hint: () => _("The general chat always stays open.") };
  const isOpen = chat.conversations.some((one) => keyOf(one.name) === keyOf(name));
  if (isOpen) return done(chat.closeConversation(name));
  const words = () => _("There is no conversation with “{name}”.");
  return { hint: () => format(words(), { name: visibleInALine(name) }) };
}

/**
 * @param {number} limit
 * @param {Chat} chat
 * @param {Exchange} exchange
 * @returns {Submitted}
 */
function showOlder(limit, chat, exchange) {
  chat.open(GENERAL);
  const { hasOlder, isFull } = exchange.conversations.general;
  if (hasOlder) {
    return done(exchange.fetchOlder(limit));
  }
  if (exchange.older.isHistoryOff) {
    return { hint: historyOff };
  }
  return {
    hint: () => {
      const text = isFull
        ? _("There are no older messages here. Use {search} to find more.")
        : _("There are no older messages.");
      return format(text, { search: commandWord("search") });
    },
  };
}

/**
 * @param {Exchange} exchange
 * @returns {Submitted}
 */
function sendLastAgain(exchange) {
  const { undelivered } = exchange.conversations.current;
  return undelivered === undefined
    ? { hint: () => _("All messages here were delivered.") }
    : done(exchange.sendAgain(undelivered.key));
}

/**
 * @param {void} _result
 * @returns {Submitted}
 */
function done(_result) {
  return OK;
}
