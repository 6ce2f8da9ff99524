/** A conversation keeps its order, its days and its bounds. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, said } from "../../src/tertulia/web/entries.js";

const noon = (day) => new Date(2026, 10, day, 12);

function entry(text, time, fields = {}) {
  return said({ time, sender: "luis", text, ...fields });
}

function shown(conversation) {
  return conversation.entries.map((one) => (one.kind === "day" ? one.day.getDate() : one.text));
}

test("a message that settles on the next day is below its beginning", () => {
  const conversation = new Conversation("luis");
  const sent = entry("hola", noon(22), { delivery: "sending" });
  conversation.add(sent);
  conversation.change(sent, { delivery: "delivered", time: noon(23) });
  assert.deepEqual(shown(conversation), [22, 23, "hola"]);
  conversation.add(entry("otra", noon(23)));
  assert.deepEqual(shown(conversation), [22, 23, "hola", "otra"]);
});

test("nothing is left of a day whose only message moves to a later one", () => {
  const conversation = new Conversation("luis");
  const sent = entry("hola", noon(22), { delivery: "sending" });
  conversation.add(sent);
  conversation.add(entry("otra", noon(23)));
  conversation.change(sent, { delivery: "delivered", time: new Date(2026, 10, 23, 13) });
  assert.deepEqual(shown(conversation), [23, "otra", "hola"]);
});

test("the oldest entries are forgotten, and come back from the history", () => {
  for (const [name, bound] of [
    ["", 10_000],
    ["luis", 1_000],
  ]) {
    const conversation = new Conversation(name);
    conversation.historyHasMore = false;
    for (let number = 1; number <= bound; number += 1) {
      conversation.add(entry(String(number), noon(22), { seq: number }));
    }
    // The day's entry was one of those that were forgotten, and stands above the others again.
    assert.equal(conversation.entries.length, bound + 1 - 500 + 1);
    assert.deepEqual(shown(conversation).slice(0, 2), [22, "500"]);
    assert.deepEqual([conversation.isFull, conversation.hasOlder], [false, name === ""]);
  }
});
