/** Finds words that are nearly the same, for completion and for "Did you mean …?". Pure. */

import { foldCase } from "./names.js";

const SIMILAR = 0.65; // from this likeness on a word was perhaps meant

/**
 * Return a text without case and accents, so that `jose` finds `José`.
 * @param {string} text
 */
export function plainLetters(text) {
  return foldCase(text).normalize("NFKD").replace(/\p{M}/gu, "");
}

/**
 * Return the name, or command, that was perhaps meant; null if none is similar.
 * @param {string} name
 * @param {string[]} names
 */
export function similarName(name, names) {
  const likenessOf = (/** @type {string} */ known) =>
    likeness(plainLetters(name), plainLetters(known));
  const [best] = [...names].sort((one, other) => likenessOf(other) - likenessOf(one));
  return best !== undefined && likenessOf(best) >= SIMILAR ? best : null;
}

/**
 * Return how alike two words are, from 0 to 1, as Python's `difflib`: twice the length of their
 * longest common part, and of those before and after it, over the length of both.
 * @param {string} one
 * @param {string} other
 */
function likeness(one, other) {
  return (2 * commonLength(one, other)) / (one.length + other.length);
}

/**
 * @param {string} one
 * @param {string} other
 * @returns {number}
 */
function commonLength(one, other) {
  for (let length = Math.min(one.length, other.length); length > 0; length -= 1) {
    for (let start = 0; start + length <= one.length; start += 1) {
      const place = other.indexOf(one.slice(start, start + length));
      if (place >= 0) {
        return (
          length +
          commonLength(one.slice(0, start), other.slice(0, place)) +
          commonLength(one.slice(start + length), other.slice(place + length))
        );
      }
    }
  }
  return 0;
}
