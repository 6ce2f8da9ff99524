/**
 * Text from the network made safe to show, and the addresses in it.
 *
 * Nothing that a server sends is trusted: a character that is invisible, or that reorders the text,
 * is replaced by a visible mark, as in `safetext.py`. Pure.
 */

// Controls but \t and \n, unpaired surrogates; what sets, embeds, overrides or isolates the direction
// of a text; the line and paragraph separators, and spaces without a width.
const UNSAFE =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\u2028\u2029\u200b\u2060\ufeff]/gu;
const PICTURES = 0x2400; // the block where U+2400 + n is the picture of control character n
const ADDRESS = /\bhttps?:\/\/[^\s<>"“”«»]+/giu;
const CLOSING_MARKS = new Set([".", ",", ";", ":", "!", "?", "'", "’", "…", "*", "_"]);
const BRACKETS = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

/**
 * Replace every character that is invisible or reorders the text by a mark; keep newlines and tabs.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(UNSAFE, mark);
}

/**
 * Replace newlines and tabs too, in a text that has to stay on one line, such as a name.
 * @param {string} text
 */
export function visibleInALine(text) {
  return visible(text).replaceAll("\n", "␊").replaceAll("\t", "␉");
}

/**
 * Split a text into plain parts and http and https addresses; `url` is null for a plain part.
 *
 * A mark that ends the sentence, or closes a bracket around the address, is no part of it. The text
 * of the parts is not made visible yet; an address with an unsafe character ends before it.
 * @param {string} text
 * @returns {{text: string, url: string | null}[]}
 */
export function splitAddresses(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = trimmed(found.slice(0, unsafePlace(found)));
    if (!isUrl(address)) {
      continue;
    }
    parts.push({ text: text.slice(end, index), url: null }, { text: address, url: address });
    end = index + address.length;
  }
  parts.push({ text: text.slice(end), url: null });
  return parts.filter((part) => part.text !== "");
}

/** @param {string} unsafe */
function mark(unsafe) {
  const code = /** @type {number} */ (unsafe.codePointAt(0));
  if (code < 0x20) {
    return String.fromCharCode(PICTURES + code);
  }
  return code === 0x7f ? "␡" : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

/** @param {string} address */
function unsafePlace(address) {
  const place = address.search(UNSAFE);
  return place < 0 ? address.length : place;
}

/**
 * Return an address without the marks that follow it in a sentence.
 * @param {string} address
 */
function trimmed(address) {
  const unmatched = new Map(); // how many brackets of a kind close without having been opened
  for (const [closing, opening] of BRACKETS) {
    unmatched.set(closing, count(address, closing) - count(address, opening));
  }
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address[end - 1];
    const surplus = unmatched.get(last) ?? 0;
    if (surplus > 0) {
      unmatched.set(last, surplus - 1);
    } else if (!CLOSING_MARKS.has(last)) {
      break;
    }
  }
  return address.slice(0, end);
}

/**
 * @param {string} text
 * @param {string} character
 */
function count(text, character) {
  return text.split(character).length - 1;
}

/** @param {string} address */
function isUrl(address) {
  try {
    return new URL(address).host !== "";
  } catch {
    return false;
  }
}
