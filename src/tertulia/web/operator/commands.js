/**
 * The commands of operators: from the arguments that a person types to a request. The table is
 * exported from `operator_commands.py`; this follows its rules. Pure.
 */

import { CommandError } from "../commands.js";
import { plainLetters } from "../similar.js";
import { N_, _, format, language } from "../words.js";

/** @typedef {import("../commands.js").Row} Row */

const MAX_MINUTES = 52_560_000;
/** @type {Record<string, number>} */
const MINUTES_IN = { "": 1, m: 1, min: 1, h: 60, d: 1_440 };
const DURATION = /^([+-]?[0-9]{1,9}(?:[.,][0-9]{1,9})?) ?(m|min|h|d|)$/i;
const ON = ["", "on", "yes", "si", "s", "y"];
const OFF = ["off", "no", "n"];
const NONE = ["off", "no", "none", "nada", "ninguno"];

/**
 * Return the rows of the table with what parses their arguments.
 * @param {Omit<Row, "key">[]} table
 * @returns {Row[]}
 */
export function operatorRows(table) {
  return table.map((row) => {
    const key = row.english.slice(1);
    const word = () => (language() === "es" ? row.spanish : row.english);
    return { ...row, key, parse: (rest) => parse(key, rest.trim(), word) };
  });
}

/**
 * @param {string} key
 * @param {string} rest
 * @param {() => string} word of the command, for errors
 */
function parse(key, rest, word) {
  switch (key) {
    case "kick": {
      const [name, reason] = nameOf(rest, word);
      return { type: "kick", name, ...(reason && { reason }) };
    }
    case "ban": {
      const [target, more] = targetOf(rest, word);
      const [minutes, reason] = durationOf(more);
      return { type: "ban", ...target, ...minutes, ...(reason && { reason }) };
    }
    case "unban": {
      const [target, more] = targetOf(rest, word);
      check(!more, N_("Give only one name or address after {command}."), word);
      return { type: "unban", ...target };
    }
    case "mute": {
      const [name, more] = nameOf(rest, word);
      const [minutes, other] = durationOf(more);
      const text = N_("After the name, give a number of minutes or nothing: {command} {name} 10");
      check(!other, text, word, { name });
      return { type: "mute", name, ...minutes };
    }
    case "unmute":
    case "release":
    case "hook":
    case "unhook": {
      const [name, more] = nameOf(rest, word);
      check(!more, N_("Give only one name after {command}."), word);
      return { type: key, name };
    }
    case "hush":
    case "lock": {
      const choice = plainLetters(rest);
      const text = N_("After {command}, type nothing or {on} to begin, and {off} to end it.");
      const [on, off] = language() === "es" ? ["sí", "no"] : ["on", "off"];
      check([...ON, ...OFF].includes(choice), text, word, { on, off });
      return { type: key, on: ON.includes(choice) };
    }
    case "pin": {
      if (rest === "") return { type: "pin", newest: true };
      if (NONE.includes(plainLetters(rest))) return { type: "pin" };
      const text = N_(
        "Give the number of a message: {command} 1042, or {command} {none} to remove the pinned one",
      );
      const none = language() === "es" ? "nada" : "none";
      check(/^[0-9]{1,15}$/.test(rest), text, word, { none });
      return { type: "pin", seq: Number(rest) };
    }
    case "attendance": {
      const text = N_("Give a file whose name ends with .csv, or nothing: {command} today.csv");
      check(rest === "" || rest.toLowerCase().endsWith(".csv"), text, word);
      return { type: "attendance", ...(rest && { file: rest }) };
    }
    default:
      check(rest === "", N_("{command} takes nothing after it."), word);
      return { type: key };
  }
}

/**
 * Throw a CommandError unless something is right.
 * @param {boolean} isRight
 * @param {string} msgid
 * @param {() => string} word
 * @param {Record<string, string>} [values]
 */
function check(isRight, msgid, word, values = {}) {
  if (!isRight) throw new CommandError(() => format(_(msgid), { command: word(), ...values }));
}

/** @param {string} text */
function splitOnce(text) {
  const [, first, rest] = /** @type {RegExpExecArray} */ (/^(\S*)\s*(.*)$/su.exec(text));
  return [first, rest];
}

/** @param {string} word */
function bareName(word) {
  return word.replace(/^@/, "").replace(/[:,]+$/, "");
}

/**
 * @param {string} rest
 * @param {() => string} word
 */
function nameOf(rest, word) {
  const [first, more] = splitOnce(rest);
  const name = bareName(first);
  check(name !== "", N_("Give a name: {command} NAME"), word);
  return [name, more];
}

/**
 * Return a name or an address, and the rest. A name that looks like an address needs a @.
 * @param {string} rest
 * @param {() => string} word
 * @returns {[{name: string} | {address: string}, string]}
 */
function targetOf(rest, word) {
  const [first, more] = splitOnce(rest);
  const text = N_("Give a name or an address: {command} NAME, or {command} 10.0.0.7");
  check(bareName(first) !== "", text, word);
  return [isAddress(first) ? { address: first } : { name: bareName(first) }, more];
}

/**
 * Return whether a word is an IP address or a network, or tries to be one.
 * @param {string} word
 */
function isAddress(word) {
  const numbers = word.split(".");
  return (
    word.includes("/") ||
    (numbers.length === 4 && numbers.every((one) => /^(0|[1-9][0-9]{0,2})$/.test(one) && Number(one) < 256)) ||
    /^[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*(%\w+)?$/i.test(word)
  );
}

/**
 * Return the minutes that a text begins with, if it does, and the rest.
 * @param {string} text
 * @returns {[{minutes?: number}, string]}
 */
function durationOf(text) {
  const [first, more] = splitOnce(text);
  const found = DURATION.exec(first);
  if (found === null) return [{}, text];
  const minutes = Number(found[1].replace(",", ".")) * MINUTES_IN[found[2].toLowerCase()];
  const days = String(MAX_MINUTES / 1_440);
  const words = N_("Give a time from 1 minute to {days} days, for example 30, 2h or 7d");
  check(minutes >= 1 && minutes <= MAX_MINUTES, words, () => "", { days });
  return [{ minutes }, more];
}
