/**
 * The commands that a person can type: one table, used for parsing, help and completion.
 *
 * The table is exported from `chat/command_table.py`; this follows the rules of `chat/commands.py`.
 * The Spanish and English words always work, whatever the language of the page.
 */

import { MAX_PAGE } from "./catchup.js";
import { beginsWord, callsWithAt, endsWithoutSpace } from "./mentions.js";
import { MAX_NAME_CHARS } from "./names.js";
import { plainLetters } from "./similar.js";
import { N_, _, format, language } from "./words.js";

/**
 * `key` is the English word without its slash. `choices`: the words that can follow, and what each
 * chooses; `words` is the msgid that lists them. The help has texts of its own (`dialogs/help.js`).
 * `parse` is there for a command of operators: it returns the request, or throws CommandError.
 * @typedef {{key: string, spanish: string, english: string, help?: string, words?: string,
 *   argument?: "name" | "status", choices?: Record<string, string>,
 *   parse?: (rest: string) => any}} Row
 */

const OLDER = 20; // messages that /history shows without a number
const STATUS_WORDS = { es: ["activo", "ocupado", "inactivo"], en: ["active", "busy", "away"] };

const NOTIFY_WORDS = N_("off|mentions|at|all|statuses"); // a page has no terminal to notify through

/** @type {Row[]} */
let rows = [];
/** @type {Row[]} */
let operatorRows = []; // known to the page of an operator alone
/** @type {Record<string, string>} */
let statuses = {};

/**
 * Parses a line whose word is not in the table. At first there is only a sign that it takes the part
 * of the page that can.
 * @type {(word: string, rest: string) => any}
 */
let parseOther = () => ({ type: "later" });

/** @param {typeof parseOther} parser */
export function setOtherParser(parser) {
  parseOther = parser;
}

/** A line that cannot be carried out; `words` says what to do. */
export class CommandError extends Error {
  /** @param {() => string} words */
  constructor(words) {
    super(words());
    this.words = words;
  }
}

/** Load the table. */
export async function loadCommands() {
  setCommands(await (await fetch(new URL("commands.json", import.meta.url))).json());
}

/**
 * Set the table.
 * @param {{commands: Omit<Row, "key">[], statuses: Record<string, string>}} table
 */
export function setCommands(table) {
  rows = table.commands.map((row) => {
    const key = row.english.slice(1);
    return { ...row, key, words: key === "notify" ? NOTIFY_WORDS : row.words };
  });
  statuses = table.statuses;
}

/**
 * Know the commands of operators, or none of them.
 * @param {Row[]} known
 */
export function setOperatorCommands(known) {
  operatorRows = known;
}

/**
 * Parse a typed line; return null for an empty one. Throws CommandError.
 *
 * A request to the server is as on the wire. Other commands have their row's key as their type, and
 * perhaps a `choice`; `open` has a `name`. Of the type `later` is a line that cannot be parsed yet.
 * @param {string} line
 * @returns {any}
 */
export function parse(line) {
  const typed = line.trim();
  if (typed === "") {
    return null;
  }
  if (typed.startsWith("//") || typed.startsWith("@@")) {
    return { type: "say", text: typed.slice(1) };
  }
  if (typed.startsWith("@")) {
    return parseDirect(typed.slice(1));
  }
  if (!typed.startsWith("/")) {
    return { type: "say", text: line.trimEnd() };
  }
  const [word, rest] = splitOnce(typed);
  const row = rowOf(word);
  return row === undefined ? parseOther(word, rest) : parseRow(row, rest);
}

/**
 * Return the completions of the word before the cursor; preferred `names` come first.
 * @param {string} beforeCursor
 * @param {string[]} names
 * @returns {{start: number, candidates: string[]}}
 */
export function complete(beforeCursor, names) {
  const [word] = /** @type {RegExpExecArray} */ (/\S*$/u.exec(beforeCursor));
  const start = beforeCursor.length - word.length;
  const before = beforeCursor.slice(0, start).split(/\s+/u).filter(Boolean);
  if (before.length === 0 && word.startsWith("/")) {
    return { start, candidates: completeCommand(word) };
  }
  const row = before.length === 1 ? rowOf(before[0]) : undefined;
  if (row?.argument === "status") {
    const own = STATUS_WORDS[language()];
    const others = Object.keys(statuses).filter((other) => word && !own.includes(other));
    return { start, candidates: matching(word, [...own, ...others]) };
  }
  if (row?.choices) {
    return { start, candidates: matching(word, Object.keys(row.choices).filter(Boolean)) };
  }
  if (word === "") {
    const candidates = row?.argument === "name" ? names.map((name) => `${name} `) : [];
    return { start, candidates };
  }
  const found = completeName(word, names, before.length === 0);
  return { start: start + found.start, candidates: found.candidates };
}

/** Return the rows of all commands that this user can give. */
export function knownCommands() {
  return [...rows, ...operatorRows];
}

/**
 * Return a command in the user's language.
 * @param {string} key
 */
export function commandWord(key) {
  return wordOf(/** @type {Row} */ (knownCommands().find((row) => row.key === key)));
}

/**
 * Return the command of a row in the user's language.
 * @param {Row} row
 */
export function wordOf(row) {
  return language() === "es" ? row.spanish : row.english;
}

/**
 * Return the row of a command in either language, in any case and with or without accents.
 * @param {string} word
 */
export function rowOf(word) {
  const typed = plainLetters(word);
  return knownCommands().find(
    ({ spanish, english }) => spanish === typed || english === typed,
  );
}

/**
 * Parse what follows a command. Throws CommandError.
 * @param {Row} row
 * @param {string} rest
 * @returns {any}
 */
export function parseRow(row, rest) {
  if (row.parse) {
    return { type: "operate", request: row.parse(rest) };
  }
  let typed = rest.toLowerCase();
  const command = () => ({ command: wordOf(row) });
  switch (row.key) {
    case "msg":
      return parseDirect(rest);
    case "operator":
      return { type: "operator", secret: rest };
    case "ignore":
      if (rest === "") return { type: "ignore" };
    // fall through
    case "unignore":
    case "info": {
      const name = rest.replace(/^@/, "");
      check(name !== "" && !/\s/u.test(name), N_("Give a name: {command} NAME"), command);
      return { type: row.key, name };
    }
    case "search":
      check(rest !== "", N_("Give the words to search for: {command} WORDS"), command);
      return { type: "search", text: rest };
    case "all":
      check(rest !== "", N_("Give a text: {command} TEXT"), command);
      return { type: "all", text: rest };
    case "close":
      check(!/\s/u.test(rest), N_("Give one name, or none: {command} NAME"), command);
      return { type: "close", name: rest.replace(/^@/, "") };
    case "seen": {
      const text = N_("After {command}, give nothing or the number of a message: {command} 1042");
      check(/^[0-9]{0,15}$/.test(rest), text, command);
      return { type: "seen", seq: Number(rest) };
    }
    case "history": {
      const limit = rest === "" ? OLDER : Number(/^[0-9]{1,9}$/.test(rest) && rest);
      const text = N_("Give a number of messages from 1 to {most}, for example: {command} 50");
      const isRight = limit >= 1 && limit <= MAX_PAGE;
      check(isRight, text, () => ({ ...command(), most: MAX_PAGE }));
      return { type: "history", limit };
    }
    case "status":
      typed = typed.replace(/a$/, "o"); // of "ocupada"
      check(Object.hasOwn(statuses, typed), N_("Choose a status: {choices}"), () => {
        const words = STATUS_WORDS[language()].map((word) => `${wordOf(row)} ${word}`);
        return { choices: words.join(", ") };
      });
      return { type: "status", status: statuses[typed] };
  }
  if (row.choices) {
    const text = N_("After that command, type one of these: {choices}");
    check(Object.hasOwn(row.choices, typed), text, () => ({ choices: _(String(row.words)) }));
    return { type: row.key, choice: row.choices[typed] };
  }
  // "/quit smoking is hard" is probably a message.
  const text = N_(
    "That command takes nothing after it. To send a text that begins with “/”, " + "type “//”.",
  );
  check(rest === "", text);
  return { type: row.key };
}

/** @param {string} rest */
function parseDirect(rest) {
  const [word, text] = splitOnce(rest);
  const name = word.replace(/^@|[:,]+$/g, ""); // as in "@luis: hello"; no name has these signs
  check(name !== "" && !/^\s/u.test(rest), N_("Give a name and a text: @NAME TEXT"));
  return text === "" ? { type: "open", name } : { type: "direct", to: name, text };
}

/**
 * Throw a CommandError unless something is right.
 * @param {boolean} isRight
 * @param {string} msgid
 * @param {() => Record<string, string | number>} [values] of the placeholders, in the present language
 */
function check(isRight, msgid, values = () => ({})) {
  if (!isRight) {
    throw new CommandError(() => format(_(msgid), values()));
  }
}

/** Return all commands in both languages. */
export function allWords() {
  return knownCommands().flatMap(({ spanish, english }) => [spanish, english]);
}

/** @param {string} word */
function completeCommand(word) {
  const typed = word.toLowerCase();
  const words = [...new Set([...knownCommands().map(wordOf), ...allWords()])];
  return words
    .filter((found) => found.startsWith(typed))
    .map((found) => (rowOf(found)?.argument ? `${found} ` : found));
}

/**
 * Complete the name at the end of a word, which can have signs or other words before it.
 * @param {string} word
 * @param {string[]} names
 * @param {boolean} isFirst
 * @returns {{start: number, candidates: string[]}}
 */
function completeName(word, names, isFirst) {
  if (callsWithAt(word)) return withSigns(word.slice(0, -1), "@", names, isFirst);
  for (let start = Math.max(0, word.length - MAX_NAME_CHARS); start < word.length; start += 1) {
    const before = word.slice(0, start);
    const beginning = word.slice(start);
    if (!/^[\p{L}\p{N}]/u.test(beginning) || !beginsWord(before, beginning)) continue;
    const found = matching(beginning, names);
    if (found.length === 0) continue;
    if (callsWithAt(before)) return withSigns(before.slice(0, -1), "@", found, isFirst);
    if (!/[@＠]$/.test(before)) return withSigns(before, "", found, isFirst);
  }
  return { start: 0, candidates: [] };
}

/**
 * Return names after what stands before them in the same word, with what follows a name.
 * @param {string} before
 * @param {string} at
 * @param {string[]} names
 * @param {boolean} isFirst
 */
function withSigns(before, at, names, isFirst) {
  let after = isFirst && !before && !at ? ": " : " ";
  // What closes the bracket, or goes on in a script without spaces, stands next.
  if (/["'`*_\p{Ps}\p{Pi}]$/u.test(before) || endsWithoutSpace(before)) after = "";
  return { start: before.length, candidates: names.map((name) => at + name + after) };
}

/**
 * @param {string} beginning
 * @param {string[]} words
 */
function matching(beginning, words) {
  const wanted = plainLetters(beginning);
  return words.filter((word) => plainLetters(word).startsWith(wanted));
}

/**
 * Split a text at its first white space.
 * @param {string} text
 * @returns {[string, string]}
 */
function splitOnce(text) {
  const found = /^\s*(\S*)\s*(.*)$/su.exec(text);
  return found === null ? ["", ""] : [found[1], found[2]];
}
