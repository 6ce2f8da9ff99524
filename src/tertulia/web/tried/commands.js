/**
 * The words that people type after a `/` and that are not in the table of commands: those that they
 * bring from other chats, those of operators, and mistyped ones. This part of the page comes with the
 * first of them. Its table is exported from `chat/command_words.py`; no DOM.
 */

import { CommandError, allWords, commandWord, parseRow, rowOf, wordOf } from "../commands.js";
import { plainLetters, similarName } from "../similar.js";
import { N_, _, format } from "../words.js";

/** @typedef {import("../commands.js").Row} Row */
/** @typedef {{words: string, means: string, status?: string}} Tried several words, and what they mean */

/** @type {Record<string, string>} */
const EXPLAINED = {
  nick: N_("Your name is chosen on entering. Leave with {quit}, and enter again with another name."),
  clear: N_("Nothing is deleted here: everyone keeps what was said."),
  me: N_("There is no such command here. Type the text alone to send it."),
  copy: N_("Select the text, and copy it as on any page."),
  plain: N_("That command is for the terminal. This page needs no other mode for a screen reader."),
  operate: N_("Only an operator can do that. To be one, type {command}: it asks for the secret."),
};

/** @type {Tried[]} */
let table = [];

/**
 * Set the table.
 * @param {Tried[]} known
 */
export function setTried(known) {
  table = known;
}

/** Load the table. */
export async function loadTried() {
  setTried(await (await fetch(new URL("commands.json", import.meta.url))).json());
}

/**
 * Parse a line that begins with a word that is not in the table of commands. Throws CommandError.
 * @param {string} word
 * @param {string} rest
 */
export function parseTried(word, rest) {
  const typed = plainLetters(word);
  const found = table.find(({ words }) => words.split(" ").includes(typed));
  if (found === undefined) throw unknownCommand(word);
  const { means, status } = found;
  if (means in EXPLAINED) {
    const words = { quit: commandWord("quit"), command: commandWord("operator") };
    throw new CommandError(() => format(_(EXPLAINED[means]), words));
  }
  if (means === "who" || means === "ip") {
    if (rest) return parseRow(known("info"), rest);
    return means === "who" ? { type: "users" } : { type: "info", name: "" }; // "" is this user
  }
  if (status) return { ...parseRow(known("users"), rest), type: "status", status };
  return parseRow(known(means), rest);
}

/** @param {string} key */
function known(key) {
  return /** @type {Row} */ (rowOf(`/${key}`));
}

/** @param {string} word */
function unknownCommand(word) {
  const guess = rowOf(similarName(word, allWords()) ?? "");
  const text = guess
    ? N_("There is no command {word}. Did you mean {guess}?")
    : N_("There is no command {word}. {help} shows all commands.");
  return new CommandError(() =>
    format(_(text), { word, guess: guess ? wordOf(guess) : "", help: commandWord("help") }),
  );
}
