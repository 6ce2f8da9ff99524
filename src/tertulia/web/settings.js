/** What this browser remembers for the next visit: name, language, theme, sounds. */

const PREFIX = "tertulia-";

/**
 * Return what was remembered, or "".
 * @param {string} key
 */
export function recall(key) {
  try {
    return localStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return ""; // the browser stores nothing for this page
  }
}

/**
 * Remember a text.
 * @param {string} key
 * @param {string} text
 */
export function remember(key, text) {
  try {
    localStorage.setItem(PREFIX + key, text);
  } catch {
    // The browser stores nothing for this page, or its place is full: the next visit begins anew.
  }
}
