/**
 * The texts that tell everyone about the actions of operators. The same words as in the terminal
 * (`chat/order_words.py`). No DOM, no network.
 */

import { parseTime } from "../clock.js";
import { speakerWords } from "../event-words.js";
import { visibleInALine } from "../safetext.js";
import { dateAndTime, duration } from "../dialogs/moments.js";
import { _, format } from "../words.js";

/**
 * Return what an operator has done, in words for the user `ownName`.
 * @param {any} event
 * @param {string} ownName
 * @param {Date} today
 */
export function orderWords(event, ownName, today) {
  return format(textOf(event, event.name === ownName), {
    by: visibleInALine(nameOfOperator(event.by)),
    name: visibleInALine(event.name ?? ""),
    time: dateAndTime(parseTime(event.until), today),
    message: event.message ? pinnedWords(event.message) : "",
  });
}

/**
 * @param {any} event
 * @param {boolean} isOwn
 */
function textOf({ type, operator, on, until, message }, isOwn) {
  switch (type) {
    case "role":
      if (operator) return isOwn ? _("you are an operator now") : _("{name} is an operator now");
      return isOwn ? _("you are no longer an operator") : _("{name} is no longer an operator");
    case "muted":
      if (!until) {
        return isOwn
          ? _("{by}: you may not speak any more, but you can write to one person")
          : _("{by}: {name} may not speak any more");
      }
      return isOwn
        ? _("{by}: you may not speak until {time}, but you can write to one person")
        : _("{by}: {name} may not speak until {time}");
    case "unmuted":
      return isOwn ? _("{by}: you may speak again") : _("{by}: {name} may speak again");
    case "hushed":
      return on
        ? _("{by}: only operators may speak in the general chat now")
        : _("{by}: everyone may speak in the general chat again");
    case "locked":
      return on ? _("{by}: nobody new may come in now") : _("{by}: everyone may come in again");
    default:
      return message ? _("{by} pinned a message: {message}") : _("{by} took the pinned message down");
  }
}

/**
 * Return a pinned message in one line.
 * @param {{from: string, text: string, hook?: boolean}} message
 */
export function pinnedWords({ from, text, hook }) {
  return `${speakerWords(from, hook)}: ${visibleInALine(text.split(/\s+/u).join(" ").trim())}`;
}

/**
 * Return why this user may say nothing in the general chat; "" if that is not so.
 * @param {import("../state.js").State} state
 * @param {Date} today
 */
export function silenceWords(state, today) {
  if (state.maySpeak) return "";
  if (!state.mutes.has(state.name)) return _("Only operators may speak now");
  const until = state.mutes.until(state.name);
  if (until === undefined) return _("You may not speak now");
  return format(_("You may not speak until {time}"), { time: dateAndTime(parseTime(until), today) });
}

/**
 * Return the name of the operator who has done something.
 * @param {string} [by]
 */
export function nameOfOperator(by = "server") {
  return by === "server" ? _("the person who runs the server") : by;
}

/**
 * Return by whom and why a user was removed, for the others.
 * @param {any} event of the type left
 */
export function removedWords({ by, text }) {
  const words = text ? _("removed by {by}: {reason}") : _("removed by {by}");
  return format(words, { by: nameOfOperator(by), reason: text });
}

/**
 * Return by whom and why this user was removed, or may not come in, and what to do.
 * @param {any} error
 */
export function turnedAway({ code, by, text: reason, retry_after: seconds }) {
  let text;
  let more;
  if (code === "kicked") {
    text = reason
      ? _("You were removed from the chat by {by}: {reason}.")
      : _("You were removed from the chat by {by}.");
    more = seconds
      ? _("You may come back in {time}, with: {command}")
      : _("If you are allowed to come back, use: {command}");
  } else {
    text = reason
      ? _("You may not come into this chat: {reason}.")
      : _("You may not come into this chat.");
    more = seconds ? _("Try again in {time}.") : _("Only an operator can change that.");
  }
  return format(`${text} ${more}`, {
    by: nameOfOperator(by),
    reason,
    time: duration(seconds ?? 0),
    command: _("Join"),
  });
}

/**
 * Return why a message to everyone was refused, and what is possible instead.
 * @param {{code: string, retry_after?: number}} error
 */
export function speechRefused({ code, retry_after: seconds }) {
  let text = _("Not sent: only operators may speak now.");
  if (code === "muted") {
    text = seconds
      ? _("Not sent: an operator has silenced you for {time} more.")
      : _("Not sent: an operator has silenced you.");
  }
  const more = _("You can still read, and write to one person: @NAME TEXT");
  return `${format(text, { time: duration(seconds ?? 0) })} ${more}`;
}
