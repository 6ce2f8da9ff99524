/**
 * The texts for people in Spanish or English; the English text is the msgid, as in `i18n.py`.
 *
 * The language can change at any time, so call `_` where a text is shown and never at import.
 */

/** @typedef {"es" | "en"} Language */

/** @type {Language} */
let current = "en";
/** @type {Record<string, string | string[]>} */
const spanish = {};
const FIRST_FILE = "words.es.json";
const wanted = new Set([FIRST_FILE]); // files of Spanish texts
const loaded = new Set();

/**
 * Set the language, once the Spanish texts are here.
 * @param {Language} chosen
 */
export async function setLanguage(chosen) {
  if (chosen === "es") await loadSpanish();
  current = chosen;
}

/** Load the Spanish texts that are not here yet. */
export async function loadSpanish() {
  await Promise.all([...wanted].filter((file) => !loaded.has(file)).map(load));
}

/**
 * Use the Spanish texts of another file too, from now on.
 * @param {string} file
 */
export async function addTexts(file) {
  wanted.add(file);
  await setLanguage(current);
}

/** @param {string} file */
async function load(file) {
  setSpanish(await (await fetch(new URL(file, import.meta.url))).json(), file);
}

/**
 * Set the Spanish texts of a file: a text, or its singular and plural, for each msgid's short key.
 * @param {Record<string, string | string[]>} texts
 * @param {string} [file]
 */
export function setSpanish(texts, file = FIRST_FILE) {
  loaded.add(file);
  Object.assign(spanish, texts);
}

/** Return the language that is set. */
export function language() {
  return current;
}

/**
 * Translate a text.
 * @param {string} msgid
 */
export function _(msgid) {
  return translation(msgid, 0, msgid);
}

/**
 * Translate a text whose translation depends on the context.
 * @param {string} context
 * @param {string} msgid
 */
export function pgettext(context, msgid) {
  return translation(`${context}\u0004${msgid}`, 0, msgid);
}

/**
 * Translate a text that depends on a number.
 * @param {string} singular
 * @param {string} plural
 * @param {number} count
 */
export function ngettext(singular, plural, count) {
  const form = count === 1 ? 0 : 1;
  return translation(singular, form, form ? plural : singular);
}

/**
 * Mark a text for the catalogue; `_` translates it where it is shown.
 * @param {string} msgid
 */
export function N_(msgid) {
  return msgid;
}

/**
 * Fill the placeholders of a text, such as `{name}`.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function format(text, values) {
  return text.replace(/\{(\w+)\}/g, (placeholder, name) => String(values[name] ?? placeholder));
}

/**
 * Return the key under which `tools/page_tables.py` has exported a text.
 *
 * It is shorter than the msgid, which every visit would load twice.
 * @param {string} msgid
 */
export function shortKey(msgid) {
  let key = 0;
  for (const character of msgid) {
    key = (key * 31 + /** @type {number} */ (character.codePointAt(0))) % 2 ** 24;
  }
  return key.toString(16);
}

/**
 * @param {string} msgid
 * @param {number} form
 * @param {string} english
 */
function translation(msgid, form, english) {
  const found = (current === "es" && spanish[shortKey(msgid)]) || english;
  return Array.isArray(found) ? found[form] : found;
}
