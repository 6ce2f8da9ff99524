/**
 * The words for what operators do. They come when they are first needed, because most chats need
 * none. No DOM.
 */

import { addTexts } from "./words.js";

/** @typedef {typeof import("./order/words.js")} OrderWords */

/** @type {OrderWords | null} */
let words = null;
/** @type {Promise<void> | null} */
let loading = null;
let onLoaded = () => {};

/**
 * Call `callback` when the words are here, so that what waits for them is shown again.
 * @param {() => void} callback
 */
export function whenOrderWordsCome(callback) {
  onLoaded = callback;
}

/** Load the words, and their Spanish. */
export function loadOrderWords() {
  loading ??= load().catch((error) => {
    loading = null; // the next caller loads them again
    throw error;
  });
  return loading;
}

async function load() {
  [words] = await Promise.all([import("./order/words.js"), addTexts("order/words.es.json")]);
  onLoaded();
}

/**
 * Return the text that `say` makes of the words; a placeholder while they are being loaded.
 * @param {(words: OrderWords) => string} say
 */
export function orderWords(say) {
  if (words) return say(words);
  loadOrderWords();
  return "…";
}
