/** What this browser remembers for the next visit to this server: name, code, key, language, theme. */

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

/** Return this browser's secret for this server, which holds names for it; "" if it cannot be kept. */
export function ownKey() {
  if (!recall("key")) {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    const base64 = btoa(String.fromCharCode(...bytes));
    remember("key", base64.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return recall("key");
}
