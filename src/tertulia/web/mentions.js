/**
 * Where a name stands in a text as a word, in any of its spellings: for mentions, and for the
 * completion of names. Many scripts put no space between a name and what follows it. The rules are those of `chat/mentions.py`. Pure.
 */

import { fold } from "./names.js";

const NEAR = 64; // UTF-16 units beside a name that are looked at; no name has more
const JOINERS = /^[._-]*/; // inside of a name they belong to it, around a word they are punctuation
const LETTER = /^[\p{L}\p{N}]/u;
const MARK = /^[\p{Mn}\p{Mc}]/u;
const LAST_LETTER = /([\p{L}\p{N}])[\p{Mn}\p{Mc}]*$/u;
// Scripts without spaces. Korean has spaces, but none between a name and what belongs to it.
const SPACELESS =
  /(\p{sc=Han})|(\p{sc=Katakana}|ー)|(\p{sc=Hangul})|(\p{sc=Hiragana})|(\p{sc=Thai})|(\p{sc=Lao})|(\p{sc=Khmer})|(\p{sc=Myanmar})|(\p{sc=Tibetan})|(\p{sc=Bopomofo})/u;
const KATAKANA = 2; // the numbers of groups
const HANGUL = 3;
// Vowels of Thai and Lao that are letters, but belong to the letter after or before them.
const VOWELS_BEFORE = "เแโใไເແໂໃໄ";
const VOWELS_AFTER = "ะาๅະາ";
const HAN_BEFORE = /\p{sc=Han}{1,2}$/u;
const HAN_AFTER = /^\p{sc=Han}{1,2}/u;
// Chinese characters beside a name that do not make a longer word of it: titles and small words.
const SMALL_WORDS =
  "様君氏殿兄哥姐姊弟妹总總董啊吧呢吗嗎呀喂嗨的是在来來去说說和跟与與给給叫请請问問谢謝好你我他她";

/**
 * Return whether a text mentions the user with this key; with `onlyAt` only `@name` counts.
 * @param {string} text
 * @param {string} key
 * @param {boolean} [onlyAt]
 */
export function mentions(text, key, onlyAt = false) {
  const folded = fold(text);
  let start = key ? folded.indexOf(key) : -1;
  while (start >= 0) {
    const before = folded.slice(Math.max(0, start - NEAR), start);
    const after = folded.slice(start + key.length, start + key.length + NEAR);
    if (!(onlyAt && !callsWithAt(before)) && isWord(before, key, after)) return true;
    start = folded.indexOf(key, start + 1);
  }
  return false;
}

/**
 * @param {string} before
 * @param {string} key
 * @param {string} after
 */
function isWord(before, key, after) {
  return beginsWord(before, key) && endsWord(key, after) && isWhole(before, key, after);
}

/**
 * Return whether a word begins after `before`; `key`, which follows, begins with a letter or a digit.
 * @param {string} before
 * @param {string} key
 */
export function beginsWord(before, key) {
  const joined = before.replace(/[._-]+$/, "");
  if (joined === before) return canPart(lastLetter(before), key, true);
  // "...ana" is ana after a pause, "la-ana" is one word.
  return before.slice(joined.length).includes("..") || !lastLetter(joined);
}

/**
 * @param {string} key
 * @param {string} after
 */
function endsWord(key, after) {
  const [joiners] = /** @type {RegExpExecArray} */ (JOINERS.exec(after));
  if (joiners) return joiners.includes("..") || !LETTER.test(after.slice(joiners.length));
  // A mark is a vowel, for example: another letter than the name's last one.
  return !MARK.test(after) && canPart(lastLetter(key), after, false);
}

/**
 * Return whether a word can begin, or else end, between a letter and what follows.
 * @param {string} letter "" for none
 * @param {string} following
 * @param {boolean} isStart
 */
function canPart(letter, following, isStart) {
  if (!letter || !LETTER.test(following)) return true;
  const [next] = following;
  if (VOWELS_BEFORE.includes(letter) || VOWELS_AFTER.includes(next)) return false;
  if (/\p{Nd}/u.test(letter + next)) return false; // as luis2, 太郎2 is somebody else
  const script = scriptOf(letter);
  if (script !== scriptOf(next)) return true;
  if (script === HANGUL) return !isStart; // 김민수 is somebody else than 민수
  // A word of Katakana ends where another script begins.
  return script !== 0 && script !== KATAKANA;
}

/**
 * Return whether a word of Chinese characters is no part of a slightly longer word.
 *
 * One more character probably makes another word or name: 日本語 is not 日本. Where there are more of
 * them, it is a sentence: 李明你好.
 * @param {string} before
 * @param {string} key
 * @param {string} after
 */
function isWhole(before, key, after) {
  const [first = ""] = (HAN_AFTER.test(key) && HAN_BEFORE.exec(before)) || [];
  const [last = ""] = (HAN_BEFORE.test(key) && HAN_AFTER.exec(after)) || [];
  const beside = first + last;
  return [...beside].length !== 1 || SMALL_WORDS.includes(beside);
}

/**
 * Return whether a text ends in an `@` before a name, but not in an address as of e-mail.
 * @param {string} before
 */
export function callsWithAt(before) {
  const word = before.slice(0, -1);
  return /[@＠]$/.test(before) && (!lastLetter(word) || endsWithoutSpace(word));
}

/**
 * Return whether a text ends in a script in which no space follows a word.
 * @param {string} text
 */
export function endsWithoutSpace(text) {
  return scriptOf(lastLetter(text)) > 0;
}

/** @param {string} text */
function lastLetter(text) {
  return LAST_LETTER.exec(text)?.[1] ?? "";
}

/**
 * Return a number for the script of a letter if words in it are not separated by spaces, else 0.
 * @param {string} letter
 */
function scriptOf(letter) {
  return SPACELESS.exec(letter)?.findIndex((group, number) => number && group) ?? 0;
}
