/**
 * The rules for the text of a message: it is data, and never holds markup or commands. Pure.
 */

export const MAX_TEXT_BYTES = 16_384; // of UTF-8

// C0 without \t and \n, DEL, C1, and unpaired surrogates: the flag u makes pairs one character.
const FORBIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]/u;
const NOT_BLANK = /[^\s]|\ufeff/u; // JavaScript counts U+FEFF as white space, the server does not

/**
 * Return the code of the error for the text of a message, or null if the text is valid.
 * @param {string} text
 * @returns {"text_too_long" | "text_invalid" | null}
 */
export function checkText(text) {
  if (text.length > MAX_TEXT_BYTES) {
    return "text_too_long";
  }
  if (FORBIDDEN.test(text) || !NOT_BLANK.test(text)) {
    return "text_invalid";
  }
  return new TextEncoder().encode(text).length > MAX_TEXT_BYTES ? "text_too_long" : null;
}
