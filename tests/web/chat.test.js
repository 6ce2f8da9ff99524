/** The store: what comes of messages, of time, and of what a person does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Table, message } from "./fakes.js";

test("joining registers with receipts, and asks for the people and the last messages", () => {
  const table = new Table();
  table.chat.join(" ana ");
  assert.equal(table.chat.stage, "joining");
  const registration = table.welcome();
  assert.deepEqual(registration, { type: "register", name: "ana", protocol: 1, receipts: true });
  assert.equal(table.chat.stage, "inside");
  assert.deepEqual(table.request(), { type: "users" });
  table.answer({ type: "users", seq: 10, users: [{ name: "ana", status: "ACTIVO" }] });
  assert.deepEqual(table.request(), { type: "history", before: 11, limit: 50 });
  table.answer({ type: "history", messages: [message(3, "luis", "hola")], more: false });
  assert.deepEqual(table.texts(), [
    "-- 22",
    "luis: hola",
    "* Hello, ana. You are ACTIVO. There is 1 person here.",
  ]);
  assert.equal(table.chat.conversations[0].hasOlder, false);
});

test("a message to everyone is shown at once, and settles when the server returns it", () => {
  const table = new Table();
  table.enter();
  assert.deepEqual(table.chat.submit("hola a todos"), { ok: true });
  const { nonce, ...request } = table.request();
  assert.deepEqual(request, { type: "say", text: "hola a todos" });
  const [entry] = table.chat.conversations[0].entries.slice(-1);
  assert.equal(entry.delivery, "sending");
  table.send(message(11, "luis", "buenas"));
  table.send(message(12, "ana", "hola a todos", { nonce }));
  table.answer({ type: "ok", seq: 12 });
  assert.deepEqual(table.texts().slice(-2), ["luis: buenas", "ana: hola a todos"]);
  const settled = table.chat.conversations[0].entries.at(-1);
  assert.equal(settled.key, entry.key);
  assert.notEqual(settled, entry);
  assert.equal(settled.seq, 12);
});

test("a direct message is on its way until it is confirmed", () => {
  const table = new Table();
  table.enter();
  table.chat.submit("@luis hola");
  assert.equal(table.chat.current, "luis");
  assert.equal(table.request().to, "luis");
  assert.deepEqual(table.texts("luis").slice(1), ["ana: hola (sending)"]);
  table.timers.advance(1_000);
  table.chat.submit("¿estás?");
  const { to, text } = table.request();
  assert.deepEqual([to, text], ["luis", "¿estás?"]);
  table.answer({ type: "ok", time: "2026-11-22T12:00:30.000Z" });
  table.answer({ type: "error", code: "user_not_connected", message: "no", name: "luis" });
  assert.deepEqual(table.texts("luis").slice(1), ["ana: hola (sending)", "ana: ¿estás?"]);
});
