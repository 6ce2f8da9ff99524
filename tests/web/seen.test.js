/** What the page reports as seen, and what it knows of who has seen what. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seenLines } from "../../src/tertulia/web/dialogs/seen.js";
import { Table, entered, message, refuse } from "./fakes.js";

test("a page on an active screen reports the newest message, gathered", () => {
  const table = entered({ history: [message(8, "luis", "old")] });
  assert.deepEqual(table.reports(), [0, 8]);
  table.send(message(11, "luis", "a"), message(12, "luis", "b"));
  table.send(message(13, "luis", "c"));
  assert.deepEqual(table.reports(), [0, 8], "the server counts one in 2 s");
  table.timers.advance(2_000);
  assert.deepEqual(table.reports(), [0, 8, 13]);
  table.timers.advance(10_000);
  assert.deepEqual(table.reports(), [0, 8, 13], "nothing new is nothing to report");
});

test("a page that nobody looks at tells only that it would report", () => {
  const table = new Table();
  table.chat.setWatched(false);
  table.enter({ history: [message(8, "luis", "old")] });
  table.send(message(11, "luis", "new"));
  assert.deepEqual(table.reports(), [0]);
  table.chat.setWatched(true);
  assert.deepEqual(table.reports(), [0, 11]);
});

test("the general chat is not seen while another conversation is open", () => {
  const table = entered({ history: [message(8, "luis", "old")] });
  table.timers.advance(2_000);
  table.chat.open("luis");
  table.send(message(11, "luis", "new"));
  assert.deepEqual(table.reports(), [0, 8]);
  table.chat.open("");
  assert.deepEqual(table.reports(), [0, 8, 11]);
});

test("what is missing in between is not seen", () => {
  const table = entered();
  table.send({ type: "gap", after: 10, through: 40 }, message(41, "luis", "new"));
  assert.deepEqual(table.reports(), [0]);
  const asked = table.requests();
  assert.deepEqual(asked.map(({ type }) => type), ["users"]);
  table.asked = asked[0];
  table.answer({ type: "users", seq: 41, users: [{ name: "ana", status: "ACTIVO" }] });
  assert.equal(table.request().type, "history");
  table.answer({ type: "history", messages: [message(30, "luis", "late")], more: false });
  assert.deepEqual(table.reports(), [0, 41]);
});

test("on a new connection it begins again, because the session may be a new one", () => {
  const table = entered({ history: [message(8, "luis", "old")] });
  table.timers.advance(2_000);
  table.chat.setWatched(false);
  table.lose();
  table.timers.advance(1_000);
  table.welcome({ seq: 10 });
  assert.deepEqual(table.reports(), [0]);
});

test("who has seen a message is asked again and again, one question at a time", () => {
  const table = entered();
  const answers = [];
  const request = { type: "seen_by", seq: 11 };
  table.chat.watch(request, (answer) => answers.push(answer));
  table.chat.watch(request, (answer) => answers.push(answer));
  assert.deepEqual(table.request(), request);
  table.answer({ type: "seen_by", seq: 11, seen: ["luis"], not_seen: [], unknown: [] });
  table.chat.watch(request, (answer) => answers.push(answer));
  table.request();
  refuse(table, "not_found");
  assert.deepEqual(answers.map(({ type }) => type), ["seen_by", "error"]);
  table.lose();
  table.chat.watch(request, () => assert.fail("there is no connection"));
});

test("who has seen a message, in words", () => {
  assert.deepEqual(seenLines({ seen: ["luis", "Eva"], not_seen: ["zoe"], unknown: ["ci"] }), [
    "Seen (2): Eva, luis",
    "Not seen yet (1): zoe",
    "Unknown, because their programs do not report it (1): ci",
  ]);
  assert.deepEqual(seenLines({ seen: [], not_seen: [], unknown: [] }), ["Nobody else is here."]);
});
