/** A chat of several servers: from a lost one to the next, at once, and what is said of it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { FakeTimers, Table, entered, message, refuse } from "./fakes.js";
import { Nodes } from "../../src/tertulia/web/nodes/nodes.js";
import { setLanguage } from "../../src/tertulia/web/words.js";

const HERE = "192.168.1.10:5000";
const NODES = [HERE, "192.168.1.11:5000", "[fd00::3]:5001"];
const URLS = NODES.map((node) => `ws://${node}/ws`);

/** Return the nodes as one of them names them: itself first. */
function from(own) {
  return [own, ...NODES.filter((node) => node !== own)];
}

/** Accept the registration at a node that names the others; return what it was. */
async function enterNode(table, own = HERE, fields = {}) {
  const registration = table.welcome({ nodes: from(own), ...fields });
  while (table.chat.nodes?.current !== table.socket.url) await setImmediate();
  return registration;
}

/** Return a table whose user has entered a chat of several nodes. */
async function together() {
  const table = new Table();
  table.chat.join("ana");
  await enterNode(table);
  table.answerFirst();
  await setImmediate();
  return table;
}

function hostOf(socket) {
  return new URL(socket.url).host;
}

test("the page of a server alone knows no other", () => {
  const table = entered();
  assert.equal(table.chat.nodes, null);
  table.lose();
  assert.equal(table.chat.connection.state, "waiting");
});

test("a lost node is followed at once by another one, which takes the session over", async () => {
  const table = await together();
  table.send(message(11, "luis", "a"));
  table.timers.advance(5_000);
  table.send({ type: "closing", reason: "shutdown", retry_after: 600 });
  table.lose();
  assert.equal(table.chat.connection.state, "connecting");
  assert.notEqual(hostOf(table.socket), HERE);
  const own = hostOf(table.socket);
  const registration = await enterNode(table, own, { seq: 15 });
  assert.equal(registration.token, "t1");
  assert.deepEqual(table.request(), { type: "users" });
  table.answer({ type: "users", seq: 15, users: [{ name: "ana", status: "ACTIVO" }] });
  assert.deepEqual(table.request(), { type: "history", after: 11, before: 16, limit: 200 });
  assert.deepEqual(table.texts().slice(-2), ["* Reconnected.", `* You are now at ${own}.`]);
  assert.equal(`${table.chat.server.host}:${table.chat.server.port}`, own);
});

test("a node that has lost the others says so, and the user goes to the next one", async () => {
  const table = await together();
  table.timers.advance(5_000);
  table.send({ type: "closing", reason: "shutdown", cause: "cut_off", retry_after: 1 });
  table.lose();
  assert.notEqual(hostOf(table.socket), HERE);
  const words = () => table.texts().at(-2);
  assert.equal(words(), "* This server has lost contact with the rest of the chat.");
  await setLanguage("es");
  assert.equal(words(), "* Este servidor perdió el contacto con el resto del chat.");
  await setLanguage("en");
  await enterNode(table, hostOf(table.socket));
  table.timers.advance(5_000);
  table.send({ type: "closing", reason: "shutdown", retry_after: 1 });
  table.lose();
  assert.equal(words(), "* The server was stopped.");
});

test("it is said once how many servers there are, below the first page", async () => {
  const table = new Table();
  table.chat.join("ana");
  await enterNode(table);
  await setImmediate();
  assert.deepEqual(table.texts(), []);
  table.answerFirst({ history: [message(3, "luis", "old")] });
  await setImmediate();
  const words = `* This chat has several servers. You are at ${HERE}.`;
  assert.deepEqual(table.texts().slice(-1), [words]);
  table.timers.advance(5_000);
  table.lose();
  await enterNode(table, hostOf(table.socket));
  assert.equal(table.texts().filter((text) => text === words).length, 1);
  await setLanguage("es");
  assert.ok(table.texts().includes(`* Este chat tiene varios servidores. Estás en ${HERE}.`));
  await setLanguage("en");
});

test("nodes that come up later are tried too, however soon they are named", async () => {
  const table = new Table();
  let shown; // as many as there were when the screen was told of a change
  table.chat.subscribe(() => (shown = table.chat.nodes?.urls.length));
  table.chat.join("ana");
  table.welcome({ nodes: [HERE] });
  table.answerFirst();
  table.send({ type: "nodes", nodes: NODES });
  for (let turn = 0; turn < 1_000 && shown !== 3; turn += 1) await setImmediate();
  assert.equal(shown, 3);
  table.timers.advance(5_000);
  table.lose();
  const tried = [hostOf(table.socket)];
  table.lose();
  tried.push(hostOf(table.socket));
  assert.deepEqual(tried.sort(), NODES.slice(1).sort());
});

test("of a chat of one node nothing is said", async () => {
  const table = new Table();
  table.chat.join("ana");
  table.welcome({ nodes: [HERE] });
  while (!table.chat.nodes) await setImmediate();
  table.answerFirst();
  await setImmediate();
  table.timers.advance(5_000);
  table.lose();
  assert.equal(table.chat.connection.retryAt, table.timers.time + 1_000);
  assert.equal(table.texts().filter((text) => text.includes(HERE)).length, 0);
});

test("after all others have failed it waits as for a server alone, and offers links", async () => {
  const table = await together();
  table.timers.advance(5_000);
  table.send({ type: "closing", reason: "shutdown", retry_after: 2.5 });
  table.lose();
  const tried = [hostOf(table.socket)];
  table.lose();
  tried.push(hostOf(table.socket));
  assert.equal(table.chat.nodes.isStuck, false);
  table.lose();
  assert.deepEqual(tried.sort(), NODES.slice(1).sort());
  assert.equal(table.chat.connection.retryAt, table.timers.time + 2_500);
  assert.equal(table.chat.nodes.isStuck, true);
  table.timers.advance(2_500);
  const round = [];
  for (let node = 0; node < 3; node += 1) {
    round.push(hostOf(table.socket));
    table.lose();
  }
  assert.deepEqual(round.sort(), [...NODES].sort());
  assert.equal(table.chat.connection.retryAt, table.timers.time + 2_000);
  table.timers.advance(2_000);
  await enterNode(table, hostOf(table.socket));
  assert.equal(table.chat.nodes.isStuck, false);
});

test("a node that serves nobody, or says nothing, sends on to the next", async () => {
  const table = await together();
  table.timers.advance(5_000);
  table.lose();
  const refused = hostOf(table.socket);
  table.open();
  table.request();
  refuse(table, "unavailable", { retry_after: 60 });
  assert.equal(table.chat.connection.state, "connecting");
  const silent = hostOf(table.socket);
  assert.notEqual(silent, refused);
  table.timers.advance(5_000);
  assert.equal(table.chat.connection.state, "waiting");
});

test("nodes that let the user in and close at once are not tried without a pause", async () => {
  const table = await together();
  for (let node = 0; node < 2; node += 1) {
    table.lose();
    await enterNode(table, hostOf(table.socket));
  }
  table.lose();
  assert.equal(table.chat.connection.state, "waiting");
});

test("a node is reached as before whatever it calls itself, and what is no address is left out", () => {
  const nodes = new Nodes(new FakeTimers());
  nodes.enter("wss://chat.test/ws", [NODES[0], NODES[1], "no node", "a:5000/x", "a b:1", NODES[1]]);
  assert.deepEqual(nodes.urls, ["wss://chat.test/ws", "wss://192.168.1.11:5000/ws"]);
  nodes.enter(URLS[1], from(NODES[1]));
  assert.deepEqual(nodes.urls.slice(0, 3), [URLS[1], "wss://chat.test/ws", URLS[2]]);
});

test("those of the last welcome come first and earlier ones stay known", () => {
  const nodes = new Nodes(new FakeTimers());
  nodes.enter(URLS[0], [NODES[0], NODES[1]]);
  nodes.enter(URLS[0], [NODES[0], NODES[2]]);
  assert.deepEqual(nodes.next(() => 1), [URLS[2], -1]);
  assert.deepEqual(nodes.next(() => 1), [URLS[1], -1]);
  assert.deepEqual(nodes.next(() => 1)[1], 1);
});

test("addresses in the network of the lost node come first", () => {
  const nodes = new Nodes(new FakeTimers());
  nodes.enter(URLS[0], [NODES[0], "10.0.0.1:5000", "10.0.0.2:5000", NODES[1]]);
  const tried = [1, 2, 3].map(() => new URL(nodes.next(() => 1)[0]).host);
  assert.equal(tried[0], NODES[1]);
  assert.deepEqual(tried.slice(1).sort(), ["10.0.0.1:5000", "10.0.0.2:5000"]);
});
