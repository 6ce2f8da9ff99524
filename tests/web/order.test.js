/** Keeping order, as the page knows it: what operators do, what they type, and whom one ignores. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, complete, parse, setOperatorCommands } from "../../src/tertulia/web/commands.js";
import { movementWords } from "../../src/tertulia/web/event-words.js";
import { csv } from "../../src/tertulia/web/operator/attendance.js";
import { operatorRows } from "../../src/tertulia/web/operator/commands.js";
import { done, refused } from "../../src/tertulia/web/operator/words.js";
import { ignoring } from "../../src/tertulia/web/order/ignoring.js";
import { pinnedWords, silenceWords } from "../../src/tertulia/web/order/words.js";
import { setLanguage } from "../../src/tertulia/web/words.js";
import { Table, entered, message, readJson, refuse, time } from "./fakes.js";

const WEB = new URL("../../src/tertulia/web/", import.meta.url);

const event = (type, seq, fields) => ({ type, seq, time: time(seq), by: "eva", ...fields });
const people = (table) =>
  table.chat.people.map((one) => [one.name, one.isOperator, one.isMuted].filter(Boolean).join(" "));

test("what operators do is told to everyone, and kept", () => {
  const table = entered({ users: ["ana", "eva", "luis"] });
  const { state } = table.chat;
  table.send(
    event("role", 11, { name: "eva", operator: true }),
    event("muted", 12, { name: "luis" }),
    event("hushed", 13, { on: true }),
    event("locked", 14, { on: true }),
    event("pinned", 15, { message: message(9, "luis", "a las 8") }),
  );
  assert.deepEqual(people(table), ["ana", "eva true", "luis true"]);
  assert.deepEqual([state.isHushed, state.isLocked, state.maySpeak], [true, true, false]);
  assert.equal(state.pinned.text, "a las 8");
  assert.deepEqual(table.texts().slice(-5), [
    "* eva is an operator now",
    "* eva: luis may not speak any more",
    "* eva: only operators may speak in the general chat now",
    "* eva: nobody new may come in now",
    "* eva pinned a message: luis: a las 8",
  ]);
  table.send(
    event("unmuted", 16, { name: "luis" }),
    event("hushed", 17, { on: false }),
    event("locked", 18, { on: false }),
    event("pinned", 19, {}),
    event("role", 20, { name: "eva", operator: false }),
  );
  assert.deepEqual(people(table), ["ana", "eva", "luis"]);
  assert.deepEqual([state.isHushed, state.isLocked, state.maySpeak], [false, false, true]);
  assert.equal(state.pinned, null);
});

test("whom a ban would fit is not taken for the list of all", async () => {
  const table = entered({ users: ["ana", "eva", "luis"] });
  const asked = table.chat.ask({ type: "ban", address: "10.0.0.0/8", check: true });
  table.request();
  table.answer({ type: "users", seq: 10, users: [{ name: "luis", status: "ACTIVO" }] });
  assert.equal((await asked).users.length, 1);
  assert.deepEqual(people(table), ["ana", "eva", "luis"]);
});

test("what holds comes between two gaps, and is known", () => {
  const table = entered();
  table.send(
    { type: "gap", after: 10, through: 20 },
    event("hushed", 21, { on: true }),
    { type: "gap", after: 21, through: 30 },
    event("pinned", 31, { message: message(9, "build", "ok", { hook: true }) }),
    { type: "gap", after: 31, through: 40 },
  );
  const { state } = table.chat;
  assert.deepEqual([state.isHushed, state.isLocked, state.pinned.text], [true, false, "ok"]);
});

test("what a program says is marked, and never this user's own", () => {
  const table = entered({ name: "build", history: [message(8, "build", "old", { hook: true })] });
  table.send(message(11, "ci", "ok", { hook: true }), message(12, "ci", "hello"));
  const { entries } = table.chat.conversations[0];
  const said = entries.filter(({ kind }) => kind === "said");
  assert.deepEqual(said.map(({ hook, own }) => [hook, own]), [
    [true, false],
    [true, false],
    [false, false],
  ]);
  assert.equal(table.chat.popAlerts()[0].message.hook, true);
  assert.equal(pinnedWords(message(8, "build", "ok", { hook: true })), "build (hook): ok");
});

test("a newcomer learns from the welcome and the list what holds", () => {
  const table = new Table();
  const pinned = { seq: 3, time: time(), from: "eva", text: "a las 8" };
  table.chat.join("ana");
  table.welcome({ hushed: true, locked: true, pinned });
  table.request();
  const users = [
    { name: "ana", status: "ACTIVO" },
    { name: "eva", status: "ACTIVO", operator: true },
    { name: "luis", status: "ACTIVO", muted: true },
  ];
  table.answer({ type: "users", seq: 10, users });
  const { state } = table.chat;
  assert.deepEqual(people(table), ["ana", "eva true", "luis true"]);
  assert.deepEqual([state.isHushed, state.isLocked, state.pinned.text], [true, true, "a las 8"]);
  assert.equal(silenceWords(state, table.chat.now()), "Only operators may speak now");
  assert.ok(state.isOrderKept);
  assert.ok(!entered().chat.state.isOrderKept);
});

test("a mute ends at its time, or when the user speaks", () => {
  const table = entered();
  const { state } = table.chat;
  table.send(event("muted", 11, { name: "ana", until: time(60) }));
  assert.match(silenceWords(state, table.chat.now()), /You may not speak until \d\d:\d\d/);
  assert.equal(state.mutes.nextEnd, time(60));
  state.mutes.endThoseUntil(time(61));
  assert.ok(state.maySpeak);
  table.send(event("muted", 12, { name: "luis" }), message(13, "luis", "again"));
  assert.ok(!state.mutes.has("luis"));
});

test("who was removed reads by whom and why, and does not come back alone", () => {
  const table = entered();
  const text = "ten lines";
  table.send({ type: "closing", reason: "kicked", by: "eva", text, retry_after: 120 });
  table.lose();
  assert.equal(
    table.chat.refusal.words(),
    "You were removed from the chat by eva: ten lines. You may come back in 2 min, with: Join",
  );
  table.timers.advance(600_000);
  assert.equal(table.sockets.length, 1);
  table.chat.join("ana");
  table.open();
  table.request();
  refuse(table, "banned", { text: "spam", retry_after: 60 });
  assert.equal(
    table.chat.refusal.words(),
    "You may not come into this chat: spam. Try again in 1 min.",
  );
});

test("the others read who has removed a user", () => {
  const table = entered();
  table.send(event("left", 11, { name: "luis", reason: "kicked", text: "spam" }));
  const moved = table.chat.conversations[0].entries.at(-1);
  assert.equal(movementWords(moved), "luis (removed by eva: spam) left");
});

test("operators type commands, and others do not know them", async () => {
  assert.throws(() => parse("/kick luis"), CommandError);
  const rows = operatorRows(readJson(new URL("operator/commands.json", WEB)));
  setOperatorCommands(rows);
  const { lines, wrong } = readJson(new URL("../vectors/operator.json", import.meta.url));
  for (const [line, request] of lines) {
    assert.deepEqual(parse(line), { type: "operate", request }, line);
  }
  for (const line of wrong) {
    assert.throws(() => parse(line), CommandError, line);
  }
  assert.deepEqual(complete("/kick lu", ["luis"]).candidates, ["luis "]);
  for (const language of ["es", "en"]) {
    await setLanguage(language);
    for (const [, request] of lines.filter(([, one]) => one.type !== "bans")) {
      assert.doesNotMatch(done(request), /[{}]/, language);
      assert.doesNotMatch(refused(request, { code: "not_found", name: "luis" }), /[{}]/);
    }
  }
  setOperatorCommands([]);
});

test("a ban of oneself is recognised by the request, whatever the words of the server are", async () => {
  await setLanguage("en");
  const error = { code: "address_invalid", message: "no" };
  const oneself = /this would ban you too/;
  assert.match(refused({ type: "ban", name: "ana" }, error), oneself);
  assert.match(refused({ type: "ban", address: "10.0.0.0/8" }, error), oneself);
  const wrong = { ...error, message: "'yourself' is neither an IP address nor a network" };
  for (const type of ["ban", "unban"]) {
    assert.match(refused({ type, address: "10.0.0.300" }, wrong), /not an address or a network/);
  }
});

test("whom one ignores is shown nowhere, and says how much was hidden", () => {
  const table = entered({ history: [message(8, "luis", "old")], users: ["ana", "luis"] });
  const words = ignoring(table.chat, "ignore", "LUIS");
  assert.match(words(), /no longer see what luis writes. \/unignore luis/);
  table.chat.popAlerts();
  table.send(
    message(11, "luis", "spam"),
    { type: "direct", time: time(12), from: "luis", to: "ana", text: "spam", receipt: 1 },
  );
  assert.ok(!table.texts().some((text) => text.includes("spam")));
  assert.deepEqual(table.chat.popAlerts(), []);
  assert.equal(ignoring(table.chat, "ignore", "")(), "luis: 2 messages hidden");
  assert.match(ignoring(table.chat, "ignore", "\u00c1na")(), /nothing|yourself|longer/);
  assert.match(ignoring(table.chat, "unignore", "Luis")(), /2 messages were hidden/);
  table.send(message(13, "luis", "hello"));
  assert.ok(table.texts().includes("luis: hello"));
});

test("pages of older messages that are all ignored are passed over", () => {
  const table = entered({ history: [message(50, "ana", "x")], more: true });
  ignoring(table.chat, "ignore", "luis");
  table.chat.fetchOlder("");
  assert.equal(table.request().before, 50);
  table.answer({ type: "history", messages: [message(40, "luis", "spam")], more: true });
  table.chat.fetchOlder("");
  assert.equal(table.request().before, 40);
});

test("the attendance is a file in which no cell is a formula", () => {
  const rows = [{ name: "=ana", address: "10.0.0.7", joined: time(), left: time(1), reason: 'a,"b"' }];
  const [head, line] = csv(rows).split("\n");
  assert.equal(head, "name,address,joined,left,reason");
  assert.match(line, /^'=ana,10\.0\.0\.7,2026-11-22T\d\d:00:00[+-]\d\d:\d\d,.*,"a,""b"""$/);
  const { csv_cells } = readJson(new URL("../vectors/operator.json", import.meta.url));
  for (const [text, cell] of csv_cells) {
    assert.equal(csv([{ name: text, address: "", joined: "x" }]).split("\n")[1], `${cell},,x,,`, cell);
  }
});
