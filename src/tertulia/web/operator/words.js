/**
 * What operators are told: each answer to one of their requests in words. The same words as in the
 * terminal (`operator_words.py`). No DOM, no network.
 */

import { parseTime } from "../clock.js";
import { commandWord } from "../commands.js";
import { unanswered } from "../explain.js";
import { nameOfOperator } from "../order/words.js";
import { visibleInALine } from "../safetext.js";
import { dateAndTime, duration } from "../dialogs/moments.js";
import { N_, _, format, ngettext } from "../words.js";
import { isNetwork } from "./networks.js";

const MINUTES_IN_A_DAY = 1_440;

/**
 * Return what a request has led to, which the server has answered with `ok`.
 * @param {any} request
 */
export function done(request) {
  const { type, on, seq, minutes } = request;
  const name = visibleInALine(request.name ?? "");
  const target = visibleInALine(request.name ?? request.address ?? "");
  const values = { name, target, time: howLong(minutes) };
  switch (type) {
    case "kick":
      return format(_("{name} is no longer in the chat."), values);
    case "ban": {
      const command = `${commandWord("unban")} ${target}`;
      return format(_("{target} may not come in{time}. {command} lifts that."), { ...values, command });
    }
    case "unban":
      return format(_("{target} may come in again."), values);
    case "mute": {
      const command = `${commandWord("unmute")} ${name}`;
      return format(_("{name} may not speak{time}. {command} lifts that."), { ...values, command });
    }
    case "unmute":
      return format(_("{name} may speak again."), values);
    case "release":
      return format(_("The name {name} is free."), values);
    case "unhook":
      return format(_("No program can speak as {name} any more."), values);
    case "hush":
      return on
        ? _("Only operators may speak in the general chat now.")
        : _("Everyone may speak in the general chat again.");
    case "lock":
      return on ? _("Nobody new may come in now.") : _("Everyone may come in.");
    default:
      return seq === undefined ? _("No message is pinned now.") : _("The message is pinned.");
  }
}

/** @type {Record<string, string>} */
const REFUSED = {
  user_not_connected: N_("{name} is not here."),
  "unban not_found": N_("There is no such ban. {command} shows all."),
  "unmute not_found": N_("{name} may speak already."),
  "release not_found": N_("The name {name} is not held."),
  "unhook not_found": N_("There is no secret address with this name. {command} shows all."),
  "hook not_found": N_("This server was started with --web off, so programs cannot reach it."),
  "hook name_taken": N_("The name {name} is taken. Choose another one."),
  "hook name_held": N_("The name {name} is taken. Choose another one."),
  "hook busy": N_("There are too many secret addresses. {command} shows them: remove some."),
  name_invalid: N_("A name has 1 to 32 letters, digits, “_”, “-” or “.”, and no spaces."),
  not_found: N_("There is no message with this number."),
  address_invalid: N_("That is not an address or a network. Write 10.0.0.7 or 10.0.0.0/28."),
  text_too_long: N_("The reason is too long: it can have 200 characters."),
  text_invalid: N_("The reason cannot contain control characters."),
  unavailable: N_("It holds now, but could not be stored: a restart would forget it."),
  history_off: N_("This server keeps no messages."),
  busy: N_("There are too many bans or mutes. {command} shows them: lift some of them."),
  operator_wrong: N_(
    "That is not, or no longer, the operator's secret of this server: each start makes a new one, in the file that the server names. /operator asks for it.",
  ),
  rate_limited: N_("There were too many attempts from this address."),
  not_operator: N_(
    "Only an operator can do that. To be one, type {command}: it asks for the secret.",
  ),
};

/**
 * Return why the server has refused a request, and what to do.
 * @param {any} request
 * @param {any} error null if there was no answer
 */
export function refused(request, error) {
  if (error === null) return unanswered();
  const { code } = error;
  let msgid = REFUSED[`${request.type} ${code}`] ?? REFUSED[code] ?? "{message}";
  if (code === "address_invalid" && (request.name || isNetwork(request.address))) {
    msgid = N_("Nothing was done: this would ban you too. Ban a name, or a smaller network.");
  }
  const text = _(msgid);
  const shows = request.type.endsWith("hook") ? "hooks" : "bans";
  const key = code === "not_operator" ? "operator" : shows;
  let words = format(text, {
    name: visibleInALine(error.name ?? request.name ?? "?"),
    command: text.includes("{command}") ? commandWord(key) : "",
    message: visibleInALine(error.message ?? ""),
  });
  if (code === "rate_limited") {
    const time = duration(error.retry_after ?? 1);
    words += " " + format(_("Try again in {time}."), { time });
  }
  return words;
}

/**
 * Return the text that lists the users whom a ban would remove.
 * @param {{name: string}[]} users
 */
export function fits(users) {
  const count = users.length;
  const text = ngettext(
    "This ends the session of {count} person: {names}",
    "This ends the sessions of {count} people: {names}",
    count,
  );
  return format(text, { count, names: users.map(({ name }) => visibleInALine(name)).join(", ") });
}

/**
 * Return a ban as text: its target, its end, the operator and the reason.
 * @param {{name?: string, address?: string, until?: string, by?: string, reason?: string}} ban
 * @param {Date} today
 */
export function banWords({ name, address, until, by, reason }, today) {
  const who = [name, address].filter(Boolean).join(", ");
  const time = until ? format(_("until {time}"), { time: dateAndTime(parseTime(until), today) }) : "";
  const whose = format(_("by {name}"), { name: nameOfOperator(by) });
  return [who, time, whose, reason].filter(Boolean).map((part) => visibleInALine(String(part))).join(" · ");
}

/**
 * Return how to use a new hook.
 * @param {{name: string, path: string}} hook
 */
export function hookWords({ name, path }) {
  const shown = visibleInALine(name);
  const command = `${commandWord("unhook")} ${shown}`;
  const text = _("Keep this address secret. It is shown only now. {command} removes it.");
  return [
    format(_("A program can now speak as {name}:"), { name: shown }),
    `curl -d "${_("TEXT")}" ${location.origin}${visibleInALine(path)}`,
    format(text, { command }),
  ];
}

/**
 * Return a hook as text: its name, the operator who created it, and the date.
 * @param {{name: string, by?: string, time: string, used?: string}} hook
 * @param {Date} today
 */
export function hookRowWords({ name, by, time, used }, today) {
  const at = (/** @type {string} */ stamp) => ({ time: dateAndTime(parseTime(stamp), today) });
  const parts = [
    name,
    format(_("by {name}"), { name: nameOfOperator(by) }),
    format(_("since {time}"), at(time)),
    used ? format(_("last used {time}"), at(used)) : "",
  ];
  return parts.filter(Boolean).map(visibleInALine).join(" · ");
}

/** @param {number | undefined} minutes */
function howLong(minutes) {
  if (minutes === undefined) return "";
  let count = minutes;
  let text;
  if (count % MINUTES_IN_A_DAY === 0) {
    count /= MINUTES_IN_A_DAY;
    text = ngettext(" for {count} day", " for {count} days", count);
  } else if (count % 60 === 0) {
    count /= 60;
    text = ngettext(" for {count} hour", " for {count} hours", count);
  } else {
    text = ngettext(" for {count} minute", " for {count} minutes", count);
  }
  return format(text, { count });
}
