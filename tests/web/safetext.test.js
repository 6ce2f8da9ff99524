/** Nothing invisible or reordering gets through unseen, and addresses end where they should. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { splitAddresses, visible, visibleInALine } from "../../src/tertulia/web/safetext.js";
import {
  format,
  ngettext,
  setLanguage,
  setSpanish,
  shortKey,
} from "../../src/tertulia/web/words.js";

test("controls, directions and invisible spaces are shown by marks", () => {
  for (const [text, shown] of [
    ["a\u0000\u001b[31m", "a␀␛[31m"],
    ["a\u007fb\u0085", "a␡b<U+0085>"],
    ["\u202eabc\u2069\u061c", "<U+202E>abc<U+2069><U+061C>"],
    ["a\u200bb\ufeff\u2028", "a<U+200B>b<U+FEFF><U+2028>"],
    ["a\ud800", "a<U+D800>"],
    ["ñ 😀 \u200d\n\té", "ñ 😀 \u200d\n\té"],
  ]) {
    assert.equal(visible(text), shown);
  }
  assert.equal(visibleInALine("a\n\tb"), "a␊␉b");
});

test("addresses are found, without the marks of the sentence around them", () => {
  for (const [text, urls] of [
    ["mira http://a.org/x?y=1#z, o https://b.org.", ["http://a.org/x?y=1#z", "https://b.org"]],
    ["(https://es.org/wiki/Pan_(comida))", ["https://es.org/wiki/Pan_(comida)"]],
    ["«HTTP://A.org»", ["HTTP://A.org"]],
    ["http://a.org/\u202egro", ["http://a.org/"]],
    ["javascript:alert(1) ftp://a.org http:// xhttp://a.org", []],
    [
      "http://[::1]:5000/ y http://192.168.1.10:5000",
      ["http://[::1]:5000/", "http://192.168.1.10:5000"],
    ],
  ]) {
    const parts = splitAddresses(text);
    assert.deepEqual(parts.map(({ url }) => url).filter(Boolean), urls);
    assert.equal(parts.map((part) => part.text).join(""), text);
  }
});

test("a very long address is split in no time", () => {
  const text = `http://a.org/${")".repeat(100_000)}`;
  assert.equal(splitAddresses(text)[0].text, "http://a.org/");
});

test("plurals and placeholders follow the language and the values", async () => {
  setSpanish({ [shortKey("{n} word")]: ["{n} palabra", "{n} palabras"] });
  for (const [language, one, many] of [
    ["es", "1 palabra", "2 palabras"],
    ["en", "1 word", "2 words"],
  ]) {
    await setLanguage(language);
    assert.equal(format(ngettext("{n} word", "{n} words", 1), { n: 1 }), one);
    assert.equal(format(ngettext("{n} word", "{n} words", 2), { n: 2 }), many);
  }
  assert.equal(format("{a} {b}", { a: "{b}" }), "{b} {b}");
});
