/**
 * The rules for user names: which ones are valid, and which spellings are the same name.
 *
 * They follow `protocol/names.py`. The Unicode tables of a browser can be older or newer than the
 * server's, so the server has the last word. Pure.
 */

export const MAX_NAME_CHARS = 32; // after NFC
const MAX_RAW_CHARS = 128; // NFC joins at most 4 characters, so a longer name cannot be valid

const RESERVED = new Set(["all", "general", "server", "servidor", "tertulia", "todos"]);
const PLAIN_TEXT = /^[\x00-\x7f]*$/;
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;
// Begins with a letter or a digit; at most two marks in a row.
const NAME = /^[\p{L}\p{Nd}](?:[\p{L}\p{Nd}_.-]|[\p{Mn}\p{Mc}]{1,2}(?![\p{Mn}\p{Mc}]))*$/u;
// Letters and marks that are invisible (Default_Ignorable_Code_Point among L, Mn and Mc).
const INVISIBLE =
  /[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/u;
const SCRIPTS_KEPT_APART = [
  /(?!\p{M})\p{Script=Latin}/u,
  /(?!\p{M})\p{Script=Greek}/u,
  /(?!\p{M})\p{Script=Cyrillic}/u,
];
const MARK = /\p{M}/u;

/**
 * Return the name that a spelling stands for, or null if it is not valid.
 *
 * `shown` is how it is shown; `key` is the same for all spellings of the name.
 * @param {string} raw
 * @returns {{shown: string, key: string} | null}
 */
export function parseName(raw) {
  const name = parse(raw);
  return name === null || RESERVED.has(name.key) ? null : name;
}

/**
 * Return whether a name would be valid, but is a word that the chat itself uses.
 * @param {string} raw
 */
export function isReserved(raw) {
  const name = parse(raw);
  return name !== null && RESERVED.has(name.key);
}

/**
 * Return the key of a name; a name that is not valid is its own key.
 * @param {string} name
 */
export function keyOf(name) {
  return parseName(name)?.key ?? name;
}

/**
 * Return a text without differences of case, as Python's `str.casefold`.
 *
 * The keys of some scripts differ from Python's, but the same texts have equal keys.
 * @param {string} text
 */
export function foldCase(text) {
  let folded = "";
  for (const character of text) {
    // Upper case joins what lower case keeps apart (ß and ss). It also joins ı and i: they differ.
    const lower = character.toLowerCase();
    folded += lower === "ı" ? lower : lower.toUpperCase().toLowerCase();
  }
  return folded.replaceAll("ς", "σ");
}

/**
 * Return a text as names are compared: without differences of case, width and marks.
 * @param {string} text
 */
export function fold(text) {
  return PLAIN_TEXT.test(text) ? text.toLowerCase() : nameKey(text.normalize("NFKC"));
}

/** @param {string} raw */
function parse(raw) {
  if (PLAIN.test(raw)) {
    return { shown: raw, key: raw.toLowerCase() };
  }
  if ([...raw].length > MAX_RAW_CHARS) {
    return null;
  }
  const shown = raw.normalize("NFC");
  const compatible = shown.normalize("NFKC");
  const isValid =
    [...shown].length <= MAX_NAME_CHARS &&
    NAME.test(shown) &&
    !INVISIBLE.test(shown) &&
    !compatible.includes(" ") &&
    SCRIPTS_KEPT_APART.filter((script) => script.test(compatible)).length <= 1;
  return isValid ? { shown, key: nameKey(compatible) } : null;
}

/** @param {string} compatible */
function nameKey(compatible) {
  // Before the case is folded, too: that makes letters of some Greek marks.
  return withoutMarks(foldCase(withoutMarks(compatible)).normalize("NFKC"));
}

/**
 * Return a text without the marks of its Latin, Greek and Cyrillic letters, in NFC.
 * @param {string} text
 */
function withoutMarks(text) {
  let kept = "";
  let isMarkDropped = false;
  for (const character of text.normalize("NFD")) {
    if (!MARK.test(character)) {
      isMarkDropped = SCRIPTS_KEPT_APART.some((script) => script.test(character));
    } else if (isMarkDropped) {
      continue;
    }
    kept += character;
  }
  return kept.normalize("NFC");
}
