/** Two stores and a real server: run by `test_page_store.py`, with the port as the argument. */

import assert from "node:assert/strict";
import { FakeStorage } from "./fakes.js";
import { Chat } from "../../src/tertulia/web/chat.js";

const url = `ws://127.0.0.1:${process.argv[2]}/ws`;

/** Return a chat whose user has entered. */
async function enter(name, storage = new FakeStorage()) {
  const chat = new Chat({ url, storage });
  chat.join(name);
  await until(chat, () => texts(chat).some((text) => text.startsWith("Hello")));
  return chat;
}

/** Wait until a chat is as it should be, looking again after each of its changes. */
function until(chat, isSo) {
  return new Promise((resolve) => {
    const look = () => isSo() && (stop(), resolve());
    const stop = chat.subscribe(look);
    look();
  });
}

function texts(chat, name = "") {
  const entries = chat.conversations.find((one) => one.name === name)?.entries ?? [];
  return entries.map((entry) => (entry.kind === "told" ? entry.words() : (entry.text ?? "")));
}

function deliveries(chat, name = "") {
  return chat.conversations
    .find((one) => one.name === name)
    .entries.filter(({ own }) => own)
    .map(({ delivery }) => delivery);
}

const storage = new FakeStorage();
const ana = await enter("Ana", storage);
const luis = await enter("luis");

// Everyone gets what is said to everyone, once.
ana.submit("hola a todos");
await until(luis, () => texts(luis).includes("hola a todos"));
await until(ana, () => deliveries(ana).join() === "delivered");

// A direct message is confirmed by the other page.
luis.submit("@ANA solo tú");
await until(ana, () => texts(ana, "luis").includes("solo tú"));
await until(luis, () => deliveries(luis, "Ana").join() === "delivered");

// A status is seen by everyone.
ana.submit("/estado ocupado");
await until(luis, () => luis.people.some(({ status }) => status === "OCUPADO"));
assert.equal((await luis.info("ana")).status, "OCUPADO");
assert.deepEqual(
  (await luis.search("todos")).messages.map(({ text }) => text),
  ["hola a todos"],
);

// A reload takes the session over; the page from before does not come back by itself.
const reloaded = new Chat({ url, storage });
assert.equal(reloaded.resume(), true);
await until(ana, () => ana.stage === "outside");
assert.equal(ana.refusal.code, "replaced");
await until(reloaded, () => texts(reloaded).includes("hola a todos"));
assert.equal(reloaded.me.status, "OCUPADO");

// A name that is taken is refused, with another one to try.
const other = new Chat({ url, storage: new FakeStorage() });
other.join("LUIS");
await until(other, () => other.refusal !== null);
assert.deepEqual([other.refusal.code, other.refusal.suggestion], ["name_taken", "LUIS2"]);

reloaded.leave();
luis.leave();
await until(luis, () => luis.stage === "left");
