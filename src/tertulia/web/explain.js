/**
 * What went wrong, in words for a person: the cause and one thing to do. And the greeting.
 *
 * Errors in, text out, in the present language. The texts contain what came from the network
 * unchanged: the screen makes it safe when it shows it. The rules are those of `chat/explain.py`.
 */

import { MAX_NAME_CHARS, isReserved, parseName } from "./names.js";
import { orderWords } from "./order-words.js";
import { MAX_TEXT_BYTES } from "./texts.js";
import { N_, _, format, ngettext } from "./words.js";

const MAX_SERVER_WORDS = 200; // characters shown of a text that the server wrote

const VERSIONS_DIFFER = N_(
  "This page and the server have different versions. Load the page again.",
);
const TEXT_TOO_LONG = N_(
  "Not sent: a message can have at most {max_text} bytes. Send it in parts.",
);
const TEXT_INVALID = N_("Not sent: a message cannot contain control characters. Remove them.");

/** @type {Record<string, string>} */
const REGISTRATION_REFUSED = {
  name_taken: N_("A user called “{name}” is already connected. Try another name: {command}"),
  address_taken: N_(
    "Somebody is already connected from this address, and this server accepts " +
      "only one user per address. The person who runs it can allow more: " +
      "tertulia-server {port} --shared-addresses",
  ),
  name_invalid: N_(
    "“{name}” cannot be a name. A name has 1 to 32 letters, digits, “_”, “-” or “.”, " +
      "begins with a letter or a digit, has no spaces, and does not mix Latin, Greek and " +
      "Cyrillic letters.",
  ),
  name_reserved: N_("“{name}” cannot be a name: the chat uses this word. Try: {command}"),
  name_held: N_("“{name}” is kept for another person. Try another name: {command}"),
  server_full: N_(
    "The server is full. Try again later. The person who runs it can allow more " +
      "users: tertulia-server {port} --max-users N",
  ),
  code_required: N_("This chat asks for a code. Ask the person who runs it."),
  code_wrong: N_("That is not the code of this chat. Check it, and type it again."),
  locked: N_(
    "Nobody new may come into this chat now. Ask for it to be opened, and then use: {command}",
  ),
  replaced: N_("You have entered in another tab or window."),
  rate_limited: N_("There were too many attempts from this address."),
  protocol_unsupported: VERSIONS_DIFFER,
  garbled: VERSIONS_DIFFER,
  no_connection: N_(
    "There is no connection to {host}, port {port}. Check that the server is running, and that " +
      "you are on its network.",
  ),
};

/** @type {Record<string, string>} */
const REQUEST_REFUSED = {
  "direct user_not_connected": N_("Not delivered: nobody called “{name}” is connected."),
  user_not_connected: N_("Nobody called “{name}” is connected."),
  undelivered: N_("Not delivered: “{name}” left before confirming it."),
  text_too_long: TEXT_TOO_LONG,
  line_too_long: TEXT_TOO_LONG,
  text_invalid: TEXT_INVALID,
  malformed: TEXT_INVALID,
  history_off: N_("This server keeps no history."),
  "say unavailable": N_("Your message was sent to everyone, but the server could not store it."),
  unavailable: N_("The history cannot be read now. Try again in a moment."),
};

/**
 * Return why the server refuses to register a user, and what to do.
 * @param {{code: string, message?: string, name?: string, retry_after?: number}} error
 * @param {string} name
 * @param {{host: string, port: number}} server
 */
export function registrationRefused(error, name, { host, port }) {
  if (error.code === "banned" || error.code === "kicked") {
    return orderWords((words) => words.turnedAway(error));
  }
  const command = suggestion(error, name) ?? _("Join");
  const code = refusalCode(error, name);
  const msgid =
    REGISTRATION_REFUSED[code] ??
    N_("The server refused your registration: {message}. Try again in a moment.");
  let text = _(msgid);
  if (code === "name_invalid" && suggestion(error, name)) {
    text += " " + _("Try: {command}");
  }
  if (error.retry_after !== undefined) {
    text += ` ${tryAgainIn(error.retry_after)}`;
  }
  const message = serverWords(error.message);
  return format(text, { name: error.name ?? name, host, port, command, message });
}

/**
 * Return another name to try after a refusal; null where a name was not the cause.
 * @param {{code: string}} error
 * @param {string} name
 */
export function suggestion(error, name) {
  switch (refusalCode(error, name)) {
    case "name_invalid":
      return similarName(name);
    case "name_reserved":
    case "name_taken":
    case "name_held":
      return nextName(name);
    default:
      return null;
  }
}

/**
 * Return the code of a refusal; `name_reserved` for a word that the chat needs for itself.
 * @param {{code: string}} error
 * @param {string} name
 */
function refusalCode({ code }, name) {
  if (code !== "name_invalid" && code !== "malformed") {
    return code;
  }
  return isReserved(name) ? "name_reserved" : "name_invalid";
}

/** @param {string} name */
function similarName(name) {
  const similar = name.replace(/[^\p{L}\p{N}_.-]+/gu, "_").replace(/^[_.-]+|[_.-]+$/g, "");
  return parseName(similar.slice(0, MAX_NAME_CHARS))?.shown ?? null;
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
  const { code } = error;
  if (code === "muted" || code === "hushed") {
    return orderWords((words) => words.speechRefused(error));
  }
  const text =
    REQUEST_REFUSED[`${request.type} ${code}`] ??
    REQUEST_REFUSED[code] ??
    N_("The server refused the request: {message} ({code}).");
  return format(_(text), {
    name: (error.name ?? request.to ?? "").slice(0, MAX_SERVER_WORDS),
    max_text: MAX_TEXT_BYTES,
    message: serverWords(error.message),
    code: serverWords(code),
  });
}

/** Return the words for a server that keeps no history. */
export function historyOff() {
  return _(REQUEST_REFUSED.history_off);
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

/** Return the words for a direct message that has perhaps not arrived. */
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
