/** The store over several connections and visits: reconnecting, taking over, leaving, reloading. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeStorage, Table, entered, message, refuse } from "./fakes.js";

// --- another connection ----------------------------------------------------------------------------

test("a lost connection is tried again, later each time, and at once when the page is seen", () => {
  const table = entered();
  const start = table.timers.time;
  table.lose();
  assert.deepEqual(table.chat.connection, { state: "waiting", retryAt: start + 1_000 });
  assert.equal(table.chat.stage, "inside");
  const waits = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const wait = table.chat.connection.retryAt - table.timers.time;
    waits.push(wait);
    table.timers.advance(wait);
    assert.deepEqual(table.chat.connection, { state: "connecting", retryAt: null });
    table.lose();
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  table.chat.wakeUp();
  assert.equal(table.chat.connection.state, "connecting");
  table.welcome();
  for (const wait of [1_000, 2_000]) {
    table.lose();
    assert.equal(table.chat.connection.retryAt, table.timers.time + wait);
    table.timers.advance(wait);
  }
});

test("the session is taken over, with status and idleness, and what was missed is shown in order", () => {
  const table = entered();
  table.chat.setStatus("OCUPADO");
  table.request();
  table.answer({ type: "ok" });
  table.send(message(11, "luis", "a"));
  table.lose();
  table.timers.advance(1_000);
  assert.deepEqual(table.welcome({ seq: 15, token: "t2", status: "OCUPADO" }), {
    type: "register",
    name: "ana",
    protocol: 1,
    receipts: true,
    nodes: true,
    token: "t1",
    status: "OCUPADO",
    idle: 1,
  });
  assert.deepEqual(table.request(), { type: "users" });
  table.send(message(16, "luis", "d"));
  table.answer({ type: "users", seq: 15, users: [{ name: "ana", status: "OCUPADO" }] });
  assert.deepEqual(table.request(), { type: "history", after: 11, before: 16, limit: 200 });
  table.answer({ type: "history", messages: [message(13, "luis", "b")], more: false });
  assert.deepEqual(table.texts().slice(-6), [
    "luis: a",
    "* The connection to the server was lost.",
    "* Reconnecting automatically…",
    "* Reconnected.",
    "luis: b",
    "luis: d",
  ]);
  assert.equal(table.chat.me.status, "OCUPADO");
});

test("what was on its way is sent again under its nonce, and shown once", () => {
  const table = entered();
  table.chat.submit("hola");
  const { nonce } = table.request();
  table.lose();
  table.timers.advance(1_000);
  table.welcome({ seq: 12 });
  assert.deepEqual(table.request(), { type: "users" });
  table.answer({ type: "users", seq: 12, users: [] });
  table.request();
  table.answer({ type: "history", messages: [message(11, "ana", "hola", { nonce })], more: false });
  assert.equal(table.request().nonce, nonce);
  table.answer({ type: "ok", seq: 11 });
  assert.equal(table.texts().filter((text) => text.startsWith("ana: hola")).length, 1);
  assert.equal(table.texts().at(-1), "ana: hola");
});

test("a repeated direct message to someone who is gone may have arrived before", () => {
  const table = entered();
  table.chat.submit("@luis hola");
  table.request();
  table.lose();
  table.timers.advance(1_000);
  table.welcome({ seq: 10 });
  table.request();
  table.answer({ type: "users", seq: 10, users: [] });
  table.request();
  refuse(table, "user_not_connected", { name: "luis" });
  const entry = table.chat.conversations[1].entries.at(-1);
  assert.equal(entry.delivery, "unknown");
  assert.match(entry.why(), /connection was lost/);
});

test("a status that was asked for over a lost connection is not marked as asked for", () => {
  const table = entered();
  table.chat.setStatus("OCUPADO");
  table.lose();
  assert.deepEqual(table.chat.me, { name: "ana", status: "ACTIVO", asked: null });
});

test("on a new connection another clock counts", () => {
  const table = entered();
  table.send({ ...message(11, "luis", "a"), time: "2026-11-24T12:00:00.000Z" });
  table.lose();
  table.timers.advance(1_000);
  table.welcome({ seq: 11 });
  table.send({ ...message(12, "luis", "b"), time: "2026-11-23T12:00:00.000Z" });
  assert.equal(table.chat.now().toISOString(), "2026-11-23T12:00:00.000Z");
});

test("a server that stops says when to come back", () => {
  const table = entered();
  table.send({ type: "closing", reason: "shutdown", retry_after: 2.5 });
  table.lose();
  assert.equal(table.chat.connection.retryAt, table.timers.time + 2_500);
  assert.equal(table.texts().at(-2), "* The server was stopped.");
});

test("another history begins anew, and offers no older messages under the old numbers", () => {
  const table = entered({ history: [message(3, "luis", "old")], more: true });
  table.chat.fetchOlder("");
  table.request();
  table.lose();
  table.timers.advance(1_000);
  table.welcome({ seq: 2, epoch: "e2" });
  table.request();
  table.answer({ type: "users", seq: 2, users: [] });
  assert.deepEqual(table.request(), { type: "history", before: 3, limit: 50 });
  table.answer({ type: "history", messages: [message(1, "zoe", "new")], more: true });
  table.request();
  table.answer({ type: "history", messages: [message(1, "zoe", "new")], more: true });
  assert.equal(table.texts().filter((text) => text === "zoe: new").length, 1);
  const [general] = table.chat.conversations;
  assert.deepEqual([general.hasOlder, general.isLoading], [false, false]);
});

test("a refusal on coming back is final, unless it passes by itself", async () => {
  const table = entered();
  const info = table.chat.info("luis");
  table.lose();
  table.timers.advance(1_000);
  table.open();
  table.request();
  refuse(table, "server_full");
  assert.equal(table.chat.connection.state, "waiting");
  table.timers.advance(2_000);
  table.open();
  table.request();
  refuse(table, "name_taken");
  assert.equal(table.chat.stage, "outside");
  assert.equal(table.chat.refusal.code, "name_taken");
  assert.match((await info).error(), /did not answer/);
  table.timers.advance(60_000);
  assert.equal(table.sockets.length, 3);
});

test("who was removed, or has entered in another tab, does not come back by itself", () => {
  const kicked = entered();
  kicked.send({ type: "closing", reason: "kicked", retry_after: 0 });
  kicked.lose();
  assert.deepEqual([kicked.chat.stage, kicked.chat.refusal.code], ["outside", "kicked"]);
  const replaced = entered();
  replaced.socket.onclose({ code: 1000, reason: "replaced" });
  assert.deepEqual([replaced.chat.stage, replaced.chat.refusal.code], ["outside", "replaced"]);
});

test("a connection that does not outlive a pause is given up when the page is seen again", () => {
  const table = entered();
  table.chat.wakeUp();
  assert.deepEqual(table.request(), { type: "ping" });
  table.answer({ type: "pong" });
  table.timers.advance(5_000);
  assert.equal(table.chat.connection.state, "connected");
  table.chat.wakeUp();
  table.timers.advance(5_000);
  assert.equal(table.chat.connection.state, "waiting");
});

test("a connection over which nothing comes any more is tested, and given up", () => {
  const table = entered();
  table.timers.advance(39_999);
  assert.deepEqual(table.requests(), []);
  table.timers.advance(1);
  assert.deepEqual(table.request(), { type: "ping" });
  table.send(message(11, "luis", "hola"));
  table.timers.advance(40_000);
  assert.deepEqual(table.request(), { type: "ping" });
  table.timers.advance(9_999);
  assert.equal(table.chat.connection.state, "connected");
  table.timers.advance(1);
  assert.equal(table.chat.connection.state, "waiting");
});

test("the server's ping is answered", () => {
  const table = entered();
  table.send({ type: "ping", id: 7 }, { type: "ping" }, { type: "unheard of" });
  assert.deepEqual(table.requests(), [{ type: "pong", id: 7 }, { type: "pong" }]);
});

// --- the tab ---------------------------------------------------------------------------------------

test("a reload takes the session over, with its drafts", () => {
  const storage = new FakeStorage();
  const before = new Table(storage);
  assert.equal(before.chat.resume(), false);
  before.enter();
  before.chat.setStatus("OCUPADO");
  before.request();
  before.answer({ type: "ok" });
  before.chat.setDraft("", "casi");
  before.chat.open("luis");
  before.chat.setDraft("luis", "privado");
  const after = new Table(storage);
  assert.equal(after.chat.me.name, "ana");
  assert.equal(after.chat.resume(), true);
  const registration = after.welcome({ token: "t2" });
  assert.deepEqual([registration.token, registration.status], ["t1", "OCUPADO"]);
  assert.equal(after.chat.conversations[0].draft, "casi");
  after.chat.open("luis");
  assert.equal(after.chat.conversations[1].draft, "privado");
  after.chat.setDraft("luis", "");
  assert.deepEqual(JSON.parse(storage.getItem("tertulia")).drafts, { "": "casi" });
});

test("another name does not take the session over, nor does one after leaving", () => {
  const storage = new FakeStorage();
  new Table(storage).enter();
  const other = new Table(storage);
  other.chat.join("luis");
  assert.equal(other.welcome({ token: "t2" }).token, undefined);
  other.answerFirst();
  other.chat.leave();
  assert.deepEqual(other.request(), { type: "quit" });
  assert.equal(other.chat.stage, "left");
  assert.equal(other.socket.isClosed, true);
  const later = new Table(storage);
  assert.equal(later.chat.resume(), false);
  assert.equal(later.chat.me.name, "luis");
});

test("leaving waits for what was said before, and not for a connection", () => {
  const table = entered();
  table.chat.submit("adiós");
  table.request();
  table.chat.leave();
  assert.deepEqual([table.chat.stage, table.requests()], ["inside", []]);
  table.answer({ type: "ok", seq: 11 });
  assert.equal(table.chat.stage, "left");
  const lost = entered();
  lost.lose();
  lost.chat.leave();
  assert.equal(lost.chat.stage, "left");
  lost.timers.advance(60_000);
  assert.equal(lost.sockets.length, 1);
});

test("a browser that stores nothing is no obstacle", () => {
  const forbidden = () => {
    throw new Error("SecurityError");
  };
  const table = new Table({ getItem: forbidden, setItem: forbidden });
  table.enter();
  table.chat.setDraft("", "hola");
  assert.equal(table.chat.conversations[0].draft, "hola");
});
