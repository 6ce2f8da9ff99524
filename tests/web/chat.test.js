/** The store: what comes of messages, of time, and of what a person does. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setLanguage } from "../../src/tertulia/web/words.js";
import { Table, entered, message, refuse, time, welcome } from "./fakes.js";

afterEach(() => setLanguage("en"));

function direct(from, text, fields = {}) {
  return { type: "direct", time: time(20), from, to: "ana", text, ...fields };
}

// --- entering --------------------------------------------------------------------------------------

test("joining registers with receipts, and asks for the people and the last messages", () => {
  const table = new Table();
  table.chat.join(" ana ");
  assert.equal(table.chat.stage, "joining");
  assert.equal(table.socket.url, "ws://192.168.1.10:5000/ws");
  const registration = table.welcome();
  const wanted = { receipts: true, nodes: true };
  assert.deepEqual(registration, { type: "register", name: "ana", protocol: 1, ...wanted });
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
  assert.equal(table.chat.unread, 0);
  assert.deepEqual(table.chat.popAlerts(), []);
});

test("subscribers are called once for a batch of changes, and not in the middle of a call", async () => {
  const table = entered();
  await Promise.resolve();
  table.changes.length = 0;
  table.send(message(11, "luis", "a"), message(12, "luis", "b"));
  assert.equal(table.changes.length, 0);
  await Promise.resolve();
  assert.deepEqual(
    table.changes.map((changed) => [...changed].sort()),
    [["alerts", "conversations", "entries:"]],
  );
});

for (const [code, words, suggestion] of [
  ["name_taken", /“ana” is already connected\. Try another name: ana2$/, "ana2"],
  ["address_taken", /only one user per address.*tertulia-server 5000 --shared-addresses$/, null],
  ["name_held", /“ana” is kept for another person\. Try another name: ana2$/, "ana2"],
  ["server_full", /The server is full.*--max-users N$/, null],
  ["code_required", /asks for a code/, null],
  ["code_wrong", /not the code/, null],
  ["banned", /may not come into this chat/, null],
  ["locked", /Nobody new may come into this chat/, null],
  ["rate_limited", /too many attempts.*Try again in 3 seconds\.$/, null],
  ["protocol_unsupported", /different versions/, null],
  ["register_timeout", /refused your registration: no\./, null],
]) {
  test(`a registration that is refused with ${code} is explained`, () => {
    const table = new Table();
    table.chat.join("ana");
    table.open();
    table.request();
    refuse(table, code, code === "rate_limited" ? { retry_after: 2.5 } : {});
    const { refusal } = table.chat;
    assert.equal(table.chat.stage, "outside");
    assert.deepEqual([refusal.code, refusal.name, refusal.suggestion], [code, "ana", suggestion]);
    assert.match(refusal.words(), words);
    assert.equal(table.chat.isCodeWanted, code.startsWith("code_"));
    assert.equal(table.socket.isClosed, true);
  });
}

test("a name that cannot be one gets a similar one, or the next one", () => {
  const table = new Table();
  for (const [name, suggestion] of [
    ["ana luis!", "ana_luis"],
    ["todos", "todos2"],
    ["!!!", null],
  ]) {
    table.chat.join(name);
    table.open();
    table.request();
    refuse(table, "name_invalid");
    const { refusal } = table.chat;
    assert.equal(refusal.suggestion, suggestion);
    assert.ok(refusal.words().includes(`“${name}” cannot be a name`));
    assert.ok(refusal.words().endsWith(suggestion === null ? "." : `Try: ${suggestion}`));
  }
});

test("a code is sent only where it was typed, and a second try succeeds", () => {
  const table = new Table();
  table.chat.join("ana");
  table.open();
  table.request();
  refuse(table, "code_required");
  table.chat.join("ana", "1234");
  assert.equal(table.chat.refusal, null);
  assert.equal(table.welcome().code, "1234");
  assert.equal(table.chat.isCodeWanted, false);
});

test("a server that cannot be reached, or is another program, is a refusal too", () => {
  const table = new Table();
  table.chat.join("ana");
  table.lose();
  assert.equal(table.chat.refusal.code, "no_connection");
  assert.match(table.chat.refusal.words(), /192\.168\.1\.10, port 5000/);
  table.chat.join("ana");
  table.open();
  table.socket.onmessage({ data: "HTTP/1.0 200 OK" });
  assert.equal(table.chat.refusal.code, "garbled");
  table.chat.join("ana");
  table.timers.advance(15_000);
  assert.equal(table.chat.refusal.code, "no_connection");
});

test("a server without history is entered as well", () => {
  const table = new Table();
  table.chat.join("ana");
  table.welcome();
  table.request();
  table.answer({ type: "users", seq: 10, users: [] });
  table.request();
  refuse(table, "history_off", { seq: 0 });
  assert.equal(table.texts().at(-1), "* Hello, ana. You are ACTIVO. There are 0 people here.");
  assert.equal(table.chat.submit("/historial").hint(), "This server keeps no history.");
});

// --- the general chat ------------------------------------------------------------------------------

test("a message to everyone is shown at once, and settles when the server returns it", () => {
  const table = entered();
  assert.deepEqual(table.chat.submit("hola a todos"), { ok: true });
  const { nonce, ...request } = table.request();
  assert.deepEqual(request, { type: "say", text: "hola a todos" });
  const entry = table.chat.conversations[0].entries.at(-1);
  assert.equal(entry.delivery, "sending");
  table.send(message(11, "luis", "buenas"), message(12, "ana", "hola a todos", { nonce }));
  table.answer({ type: "ok", seq: 12 });
  assert.deepEqual(table.texts().slice(-2), ["luis: buenas", "ana: hola a todos"]);
  const settled = table.chat.conversations[0].entries.at(-1);
  assert.deepEqual([settled.key, settled.seq], [entry.key, 12]);
  assert.notEqual(settled, entry);
});

test("a text to everyone can be sent from any conversation, which stays open", () => {
  const table = entered();
  table.chat.submit("@luis");
  assert.equal(table.chat.submit("/todos hola").note(), "Sent to everyone.");
  const { type, text } = table.request();
  assert.deepEqual([type, text, table.chat.current], ["say", "hola", "luis"]);
});

test("a message that settles stays above those that are still on their way", () => {
  const table = entered();
  table.chat.submit("uno");
  table.chat.submit("dos");
  const { nonce } = table.request();
  table.send(message(11, "ana", "uno", { nonce }));
  assert.deepEqual(table.texts().slice(-2), ["ana: uno", "ana: dos (sending)"]);
});

test("a message to everyone that is refused can be sent again, under the same nonce", () => {
  const table = entered();
  table.chat.submit("hola");
  const { nonce } = table.request();
  refuse(table, "hushed");
  const failed = table.chat.conversations[0].entries.at(-1);
  assert.equal(failed.delivery, "failed");
  assert.match(failed.why(), /Not sent: only operators may speak now/);
  assert.deepEqual(table.chat.submit("/reenviar"), { ok: true });
  assert.equal(table.request().nonce, nonce);
  table.send(message(11, "ana", "hola", { nonce }));
  table.answer({ type: "ok", seq: 11 });
  assert.equal(table.texts().at(-1), "ana: hola");
  assert.equal(table.chat.submit("/reenviar").hint(), "All messages here were delivered.");
});

test("a message that was sent but not stored is delivered, and the person is told", () => {
  const table = entered();
  table.chat.submit("hola");
  refuse((table.request(), table), "unavailable", { seq: 11 });
  assert.deepEqual(table.texts().slice(-2), [
    "ana: hola",
    "* Your message was sent to everyone, but the server could not store it.",
  ]);
});

test("what cannot be sent stays in the composer, with a hint", () => {
  const table = entered();
  assert.match(table.chat.submit("a\u0007").hint(), /control characters/);
  assert.match(table.chat.submit("é".repeat(8193)).hint(), /at most 16384 bytes/);
  assert.match(table.chat.submit("/estado dormido").hint(), /^Choose a status/);
  assert.deepEqual(table.chat.submit("  "), { ok: true });
  assert.deepEqual(table.requests(), []);
  table.lose();
  assert.match(table.chat.submit("hola").hint(), /no connection now/);
  assert.match(table.chat.submit("/estado ocupado").hint(), /no connection now/);
});

test("what only the screen can do is handed back", () => {
  const table = entered();
  for (const [line, command, argument] of [
    ["/ayuda", "help", undefined],
    ["/salir", "leave", undefined],
    ["/usuarios", "people", undefined],
    ["/info luis", "info", "luis"],
    ["/buscar pan", "search", "pan"],
    ["/idioma es", "language", "es"],
    ["/avisos nada", "notify", "off"],
    ["/tema oscuro", "theme", "dark"],
    ["/tema", "theme", ""],
  ]) {
    const submitted = table.chat.submit(line);
    assert.deepEqual([submitted.command, submitted.argument], [command, argument], line);
  }
});

test("every spelling of the own name is a mention, and a longer word is none", () => {
  const texts = ["hola ÁNA.", "ＡＮＡ!", "¿a\u0301na?", "@ana", "ana.b", "ana-maria", "ana_b", "banana", "an"];
  const table = entered();
  table.send(...texts.map((text, place) => message(11 + place, "luis", text)));
  const entries = table.chat.conversations[0].entries.slice(-texts.length);
  assert.deepEqual(
    entries.filter(({ mention }) => mention).map(({ text }) => text),
    texts.slice(0, 4),
  );
});

test("messages of others call, count as unread, and mark a mention", () => {
  const table = entered();
  table.chat.setWatched(false);
  table.send(message(11, "luis", "hola"), message(12, "luis", "ANA, ¿vienes?"));
  table.send(message(13, "luis", "anabel no"));
  const { entries, unread, calls } = table.chat.conversations[0];
  assert.deepEqual(
    entries.slice(-3).map(({ mention }) => mention),
    [false, true, false],
  );
  assert.deepEqual([unread, calls, table.chat.unread], [3, true, 3]);
  assert.deepEqual(
    table.chat
      .popAlerts()
      .map(({ message: { text }, calls: one, isDirect }) => [text, one, isDirect]),
    [
      ["hola", false, false],
      ["ANA, ¿vienes?", true, false],
      ["anabel no", false, false],
    ],
  );
  assert.deepEqual(table.chat.popAlerts(), []);
  table.chat.setWatched(true);
  assert.equal(table.chat.unread, 0);
});

test("older pages go above, with their day, and are asked for once", () => {
  const table = entered({ history: [message(3, "luis", "c")], more: true });
  table.chat.fetchOlder("");
  table.chat.fetchOlder("");
  assert.deepEqual(table.request(), { type: "history", before: 3, limit: 100 });
  assert.equal(table.chat.conversations[0].isLoading, true);
  const yesterday = { time: "2026-11-21T12:00:00.000Z" };
  table.answer({
    type: "history",
    messages: [message(1, "luis", "a", yesterday), message(2, "luis", "b")],
    more: false,
  });
  assert.deepEqual(table.texts().slice(0, 5), ["-- 21", "luis: a", "-- 22", "luis: b", "luis: c"]);
  const [general] = table.chat.conversations;
  assert.deepEqual([general.isLoading, general.hasOlder], [false, false]);
  table.chat.fetchOlder("");
  assert.deepEqual(table.requests(), []);
  assert.equal(table.chat.submit("/historial").hint(), "There are no older messages.");
});

test("a change of status is a line only if the person wants it", () => {
  const table = entered();
  const lines = table.texts().length;
  table.send({ type: "presence", seq: 11, time: time(11), name: "luis", status: "OCUPADO", by: "user" });
  assert.equal(table.texts().length, lines);
  assert.equal(table.chat.people[1].status, "OCUPADO");
});

test("comings and goings are folded into one entry, which is replaced when it grows", () => {
  const table = entered();
  const event = (type, seq, name, fields) => ({ type, seq, time: time(seq), name, ...fields });
  globalThis.localStorage = { getItem: (key) => (key === "tertulia-statuses" ? "on" : null) };
  table.send(event("joined", 11, "ana", { status: "ACTIVO" }));
  table.send(event("joined", 12, "zoe", { status: "ACTIVO" }));
  const before = table.chat.conversations[0].entries.at(-1);
  table.send(event("left", 13, "zoe", { reason: "lost" }));
  table.send(event("presence", 14, "luis", { status: "OCUPADO", by: "user" }));
  const after = table.chat.conversations[0].entries.at(-1);
  assert.equal(after.key, before.key);
  assert.notEqual(after, before);
  delete globalThis.localStorage;
  const { zoe, luis } = Object.fromEntries(after.people);
  assert.deepEqual([zoe.wasHere, zoe.isHere, zoe.left.reason, zoe.status], [false, false, "lost", null]);
  assert.deepEqual(luis, { wasHere: true, isHere: true, left: null, status: "OCUPADO" });
  assert.deepEqual(table.chat.people.map(({ name, status }) => ({ name, status })), [
    { name: "ana", status: "ACTIVO" },
    { name: "luis", status: "OCUPADO" },
  ]);
});

test("a gap is filled from the history, in order, and the list of people is asked for again", () => {
  const table = entered();
  table.send({ type: "gap", after: 10, through: 20 }, message(21, "luis", "c"));
  assert.deepEqual(table.request(), { type: "users" });
  table.answer({ type: "users", seq: 21, users: [{ name: "ana", status: "ACTIVO" }] });
  assert.deepEqual(table.request(), { type: "history", after: 10, before: 21, limit: 200 });
  table.answer({
    type: "history",
    messages: [message(12, "luis", "a"), message(13, "luis", "b")],
    more: false,
  });
  assert.deepEqual(table.texts().slice(-3), ["luis: a", "luis: b", "luis: c"]);
});

// --- direct messages -------------------------------------------------------------------------------

test("a message to another conversation leaves the view where it is", () => {
  const table = entered();
  assert.equal(table.chat.submit("@LUIS hola").note(), "Sent only to luis.");
  assert.deepEqual([table.chat.current, table.texts("luis").length], ["", 2]);
});

test("the hint that a message to another conversation was sent says so if it does not arrive", () => {
  const table = entered();
  const { note } = table.chat.submit("@luis hola");
  table.request();
  refuse(table, "user_not_connected", { name: "luis" });
  assert.equal(note(), "Not delivered: nobody called “luis” is connected.");
});

test("a text for somebody who is not here stays in the composer, unless they have written before", () => {
  const table = entered();
  const words = "Nobody called “lius” is here. Did you mean “luis”?";
  assert.equal(table.chat.submit("@lius hola").hint(), words);
  assert.equal(table.chat.submit("@lius").hint(), words);
  assert.equal(table.chat.submit("@xyz hola").hint(), "Nobody called “xyz” is here.");
  table.send(direct("zoe", "hola"));
  assert.equal(table.chat.submit("@zoe hola").note(), "Sent only to zoe.");
});

test("a direct message is on its way until it is confirmed, and the others do not wait for it", () => {
  const table = entered();
  table.chat.submit("@luis");
  table.chat.submit("@LUIS hola");
  assert.equal(table.chat.current, "luis");
  const first = (table.request(), table.asked);
  assert.equal(first.to, "LUIS");
  table.chat.submit("¿estás?");
  assert.deepEqual(table.requests(), []);
  table.timers.advance(1_000);
  const { to, text } = table.request();
  assert.deepEqual([to, text], ["luis", "¿estás?"]);
  table.answer({ type: "ok", time: time(30) });
  table.send({ type: "ok", id: first.id, time: time(31) });
  assert.deepEqual(table.texts("luis").slice(1), ["ana: ¿estás?", "ana: hola"]);
});

test("a direct message that does not arrive fails with its reason, and can be sent again", () => {
  const table = entered();
  for (const [code, why] of [
    ["user_not_connected", "Not delivered: nobody called “luis” is connected."],
    ["undelivered", "Not delivered: “luis” left before confirming it."],
  ]) {
    table.chat.submit("@luis hola");
    table.request();
    refuse(table, code, { name: "luis" });
    const { entries } = table.chat.conversations[1];
    assert.equal(entries.at(-1).why(), why);
    table.chat.sendAgain(entries.at(-1).key);
    assert.equal(table.texts("luis").at(-1), "ana: hola (sending)");
    table.request();
    table.answer({ type: "ok", time: time(30) });
    assert.equal(table.texts("luis").at(-1), "ana: hola");
  }
});

test("a message without any answer may have arrived", () => {
  const table = entered();
  table.chat.submit("hola");
  table.request();
  table.timers.advance(30_000);
  table.send({ type: "ping" });
  table.timers.advance(30_000);
  const entry = table.chat.conversations[0].entries.at(-1);
  assert.equal(entry.delivery, "unknown");
  assert.match(entry.why(), /may have done what you asked/);
});

test("a busy receiver is tried again when the server says so", () => {
  const table = entered();
  table.chat.submit("@luis hola");
  const { nonce } = table.request();
  refuse(table, "busy", { retry_after: 4 });
  table.timers.advance(3_999);
  assert.deepEqual(table.requests(), []);
  table.timers.advance(1);
  assert.equal(table.request().nonce, nonce);
});

test("direct messages are confirmed once for those that came together, and doubles dropped", () => {
  const table = entered();
  table.send(direct("luis", "a", { receipt: 1 }), direct("zoe", "b", { receipt: 2 }));
  assert.deepEqual(table.requests(), [{ type: "received", receipt: 2 }]);
  table.send(direct("zoe", "b", { receipt: 2 }), direct("zoe", "c", { receipt: 3, nonce: "n" }));
  table.send(direct("zoe", "c", { receipt: 4, nonce: "n" }));
  assert.deepEqual(
    table.requests().map(({ receipt }) => receipt),
    [3, 4],
  );
  assert.deepEqual(table.texts("zoe").slice(1), ["zoe: b", "zoe: c"]);
  assert.deepEqual(
    table.chat.conversations.map(({ name, unread }) => [name, unread]),
    [["", 0], ["zoe", 2], ["luis", 1]], // prettier-ignore
  );
  table.chat.open("ZOE");
  assert.equal(table.chat.unread, 1);
  table.send(direct("luis", "d", { receipt: 5 }));
  assert.deepEqual(
    table.chat.conversations.map(({ name }) => name),
    ["", "luis", "zoe"],
  );
});

test("a note to oneself is there once", () => {
  const table = entered();
  table.chat.submit("@ana pan");
  const { nonce } = table.request();
  table.send(direct("ana", "pan", { receipt: 1, nonce }));
  table.answer({ type: "ok", time: time(5) });
  assert.deepEqual(table.texts("ana").slice(1), ["ana: pan"]);
});

test("a conversation can be closed, and begins anew", () => {
  const table = entered();
  table.chat.submit("@luis");
  assert.deepEqual([table.chat.current, table.chat.conversations[1].isPresent], ["luis", true]);
  table.chat.closeConversation("luis");
  assert.deepEqual([table.chat.current, table.chat.conversations.length], ["", 1]);
  table.chat.open("nadie");
  assert.equal(table.chat.conversations[1].isPresent, false);
});

// --- status, people, search ------------------------------------------------------------------------

test("the status is the server's; one that was asked for is marked as such", () => {
  const table = entered();
  table.chat.setStatus("OCUPADO");
  assert.deepEqual(table.request(), { type: "status", status: "OCUPADO" });
  assert.deepEqual(table.chat.me, { name: "ana", status: "ACTIVO", asked: "OCUPADO" });
  const presence = { type: "presence", time: time(1), name: "ana", by: "user" };
  table.send({ ...presence, seq: 11, status: "OCUPADO" });
  table.answer({ type: "ok" });
  assert.deepEqual(table.chat.me, { name: "ana", status: "OCUPADO", asked: null });
  table.chat.submit("/estado ocupado");
  table.request();
  table.answer({ type: "ok" });
  assert.equal(table.texts().at(-1), "* You are already OCUPADO.");
});

test("what the server knows of a user, and what a search finds, come as answers", async () => {
  const table = entered();
  const info = table.chat.info("luis");
  assert.deepEqual(table.request(), { type: "info", name: "luis" });
  const row = { name: "luis", address: "127.0.0.3", status: "ACTIVO", idle: 12 };
  table.answer({ type: "info", ...row, since: time(0) });
  assert.deepEqual(await info, { ...row, since: new Date(time(0)) });
  const search = table.chat.search("pan", 9);
  assert.deepEqual(table.request(), { type: "search", text: "pan", before: 9 });
  table.answer({ type: "history", messages: [message(4, "luis", "pan")], more: true });
  const found = await search;
  assert.deepEqual([found.messages[0].text, found.messages[0].seq, found.more], ["pan", 4, true]);
  const missing = table.chat.info("zoe");
  refuse((table.request(), table), "user_not_connected", { name: "zoe" });
  assert.equal((await missing).error(), "Nobody called “zoe” is connected.");
  table.lose();
  assert.match((await table.chat.info("luis")).error(), /no connection/);
});

test("those who spoke last are completed first", () => {
  const table = entered({ users: ["ana", "lidia", "luis"] });
  table.send(message(11, "luis", "hola"));
  assert.deepEqual(table.chat.complete("@l").candidates, ["@luis ", "@lidia "]);
});

// --- language and time ------------------------------------------------------------------------------

test("a choice of another language changes every word that is there already", async () => {
  const table = entered();
  table.chat.submit("@luis hola");
  table.request();
  refuse(table, "user_not_connected", { name: "luis" });
  const hint = table.chat.submit("/estado dormido").hint;
  await setLanguage("es");
  assert.equal(table.texts().at(-1), "* Hola, ana. Estás ACTIVO. Hay 2 personas.");
  const [, { entries }] = table.chat.conversations;
  assert.equal(entries.at(-1).why(), "No se entregó: no hay nadie conectado con el nombre «luis».");
  assert.match(hint(), /^Elige un estado: \/estado activo/);
});

test("times and days are the server's", () => {
  const table = entered();
  table.send({ ...message(11, "luis", "a"), time: "2026-11-24T12:00:00.000Z" });
  assert.equal(table.chat.now().toISOString(), "2026-11-24T12:00:00.000Z");
  table.timers.advance(500);
  assert.equal(table.chat.now().toISOString(), "2026-11-24T12:00:00.500Z");
  table.send({ ...message(12, "luis", "b"), time: "soon" });
  assert.deepEqual(table.texts().slice(-3), ["-- 24", "luis: a", "luis: b"]);
  assert.equal(table.chat.conversations[0].entries.at(-1).time, null);
});

test("what the server sends after its welcome, in the same piece, counts", () => {
  const table = new Table();
  table.chat.join("ana");
  table.open();
  table.request();
  const first = { ...welcome(), id: table.asked.id };
  table.send(first, direct("luis", "pronto", { receipt: 1 }));
  assert.deepEqual(table.texts("luis").slice(1), ["luis: pronto"]);
});
