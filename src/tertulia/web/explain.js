/**
 * What went wrong, in words for a person: the cause and one thing to do. And the greeting.
 *
 * Errors in, text out, in the present language. The texts contain what came from the network
 * unchanged: the screen makes it safe when it shows it. The rules are those of `chat/explain.py`.
 */

import { MAX_NAME_CHARS, isReserved, parseName } from "./names.js";
import { MAX_TEXT_BYTES } from "./texts.js";
import { _, format, ngettext } from "./words.js";

const MAX_SERVER_WORDS = 200; // characters shown of a text that the server wrote

/**
 * Return why the server refuses to register a user, and what to do.
 * @param {{code: string, message?: string, retry_after?: number}} error
 * @param {string} name
 * @param {{host: string, port: number}} server
 */
export function registrationRefused(error, name, server) {
  let text = registrationText(error, name);
  if (error.retry_after !== undefined) {
    text += ` ${tryAgainIn(error.retry_after)}`;
  }
  return format(text, {
    name,
    host: server.host,
    port: server.port,
    command: suggestion(error, name) ?? "",
    message: serverWords(error.message),
  });
}

/**
 * @param {{code: string}} error
 * @param {string} name
 */
function registrationText(error, name) {
  switch (error.code) {
    case "name_taken":
      return _("A user called “{name}” is already connected. Try another name: {command}");
    case "address_taken":
      return _(
        "Somebody is already connected from this address, and this server accepts " +
          "only one user per address. The person who runs it can allow more: " +
          "tertulia-server {port} --shared-addresses",
      );
    case "name_invalid":
    case "malformed":
      if (isReserved(name)) {
        return _("“{name}” cannot be a name: the chat uses this word. Try: {command}");
      }
      return (
        _(
          "“{name}” cannot be a name. A name has 1 to 32 letters, digits, “_”, “-” or “.”, " +
            "begins with a letter or a digit, has no spaces, and does not mix Latin, Greek and " +
            "Cyrillic letters.",
        ) + (suggestion(error, name) === null ? "" : ` ${_("Try: {command}")}`)
      );
    case "name_held":
      return _("“{name}” is kept for another person. Try another name: {command}");
    case "server_full":
      return _(
        "The server is full. Try again later. The person who runs it can allow more " +
          "users: tertulia-server {port} --max-users N",
      );
    case "code_required":
      return _("This chat asks for a code. Ask the person who runs it.");
    case "code_wrong":
      return _("That is not the code of this chat. Check it, and type it again.");
    case "banned":
      return _("The person who runs this chat does not let you in.");
    case "locked":
      return _("The person who runs this chat lets nobody else in now.");
    case "kicked":
      return _("The person who runs this chat has removed you from it.");
    case "replaced":
      return _("You have entered in another tab or window.");
    case "rate_limited":
      return _("There were too many attempts from this address.");
    case "protocol_unsupported":
    case "garbled":
      return _("This page and the server have different versions. Load the page again.");
    case "no_connection":
      return _(
        "There is no connection to {host}, port {port}. Make sure that the server is running and " +
          "that you are on the same network, and try again.",
      );
    default:
      return _("The server refused your registration: {message}. Try again in a moment.");
  }
}

/**
 * Return another name to try after a refusal; null where a name was not the cause.
 * @param {{code: string}} error
 * @param {string} name
 */
export function suggestion({ code }, name) {
  const isInvalid = code === "name_invalid" || code === "malformed";
  if (isInvalid && !isReserved(name)) {
    const similar = name.replace(/[^\p{L}\p{N}_.-]+/gu, "_").replace(/^[_.-]+|[_.-]+$/g, "");
    return parseName(similar.slice(0, MAX_NAME_CHARS))?.shown ?? null;
  }
  return isInvalid || code === "name_taken" || code === "name_held" ? nextName(name) : null;
}

/**
 * Return the next name: luis, luis2, luis3.
 * @param {string} name
 */
function nextName(name) {
  const [, stem, number] = /** @type {RegExpExecArray} */ (/^(.*?)([0-9]{0,4})$/su.exec(name));
  const suffix = String(stem && number ? Number(number) + 1 : 2);
  const letters = [...(stem || name)].slice(0, MAX_NAME_CHARS - suffix.length);
  return letters.join("") + suffix;
}

/** @param {number} seconds */
function tryAgainIn(seconds) {
  const count = Math.max(1, Math.ceil(seconds));
  const text = ngettext("Try again in {count} second.", "Try again in {count} seconds.", count);
  return format(text, { count });
}

/**
 * Return why the server, or this page, refused a request.
 * @param {{code: string, message?: string, name?: string, retry_after?: number}} error
 * @param {any} request
 */
export function requestRefused(error, request) {
  return format(requestText(error.code, request.type), {
    name: (error.name ?? request.to ?? request.name ?? "").slice(0, MAX_SERVER_WORDS),
    max_text: MAX_TEXT_BYTES,
    message: serverWords(error.message),
    code: error.code.slice(0, MAX_SERVER_WORDS),
  });
}

/**
 * @param {string} code
 * @param {string} type
 */
function requestText(code, type) {
  switch (code) {
    case "user_not_connected":
      return type === "direct"
        ? _("Not delivered: nobody called “{name}” is connected.")
        : _("Nobody called “{name}” is connected.");
    case "undelivered":
      return _("Not delivered: “{name}” left before confirming it.");
    case "text_too_long":
    case "line_too_long":
      return _("Not sent: a message can have at most {max_text} bytes. Send it in parts.");
    case "text_invalid":
    case "malformed":
      return _("Not sent: a message cannot contain control characters. Remove them.");
    case "history_off":
      return historyOff();
    case "unavailable":
      return type === "say"
        ? _("Your message was sent to everyone, but the server could not store it.")
        : _("The history cannot be read now. Try again in a moment.");
    case "muted":
      return _("Not sent: the person who runs this chat has silenced you.");
    case "hushed":
      return _("Not sent: only those who run this chat can write to everyone now.");
    default:
      return _("The server refused the request: {message} ({code}).");
  }
}

/** Return the words for a server that keeps no history. */
export function historyOff() {
  return _("This server keeps no history.");
}

/**
 * Return the words for a gap that the server has refused to fill.
 *
 * Only a server without history that gives the number of a message in the gap knows that there is
 * one.
 * @param {{seq?: number} | null} refusal
 */
export function messagesMissing(refusal) {
  return refusal?.seq === undefined
    ? _("Some messages may be missing here.")
    : _("Some messages are missing here.");
}

/** Return the words for a request that the server has not answered. */
export function unanswered() {
  return _("The server did not answer. It may have done what you asked.");
}

/** Return the words for a direct message of which nobody knows whether it has arrived. */
export function perhapsDelivered() {
  return _("This may not have been delivered: the connection was lost.");
}

/** Return the words for something that cannot be sent now. */
export function notConnected() {
  return _("There is no connection now. What you typed stays here.");
}

/**
 * Return why a connection ended that this user did not close.
 * @param {{closing: any, error: any}} end
 */
export function connectionEnded({ closing, error }) {
  if (closing !== null) {
    return _("The server was stopped.");
  }
  if (error !== null) {
    const text = _("The server closed the connection: {message}");
    return format(text, { message: serverWords(error.message) });
  }
  return _("The connection to the server was lost.");
}

/**
 * Return the greeting for a user who has entered a chat of so many people.
 * @param {string} name
 * @param {string} status
 * @param {number} count
 */
export function greeting(name, status, count) {
  const hello = format(_("Hello, {name}. You are {status}."), { name, status });
  const here = ngettext("There is {count} person here.", "There are {count} people here.", count);
  return `${hello} ${format(here, { count })}`;
}

/** @param {string | undefined} message */
function serverWords(message) {
  return (message ?? "").slice(0, MAX_SERVER_WORDS);
}
