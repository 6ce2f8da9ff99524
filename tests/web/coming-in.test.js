/** The code and the key that a browser gives to the server. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { FakeStorage, Table, refuse } from "./fakes.js";

beforeEach(() => {
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    value: new FakeStorage(),
  });
});
afterEach(() => delete globalThis.localStorage);

/** Join and be welcomed; return the registration. */
function join(code) {
  const table = new Table();
  table.chat.join("ana", code);
  return table.welcome();
}

test("a browser makes one key for a server and keeps it", () => {
  const { key } = join();
  assert.match(key, /^[A-Za-z0-9_-]{32}$/);
  assert.equal(join().key, key);
  localStorage.setItem("tertulia-key", "");
  assert.notEqual(join().key, key);
});

test("a browser that stores nothing gives no key, or it could never use the name again", () => {
  delete globalThis.localStorage;
  assert.ok(!("key" in join()));
});

test("a code that let the person in is given again, also on the next connection", () => {
  assert.equal(join("able").code, "able");
  const table = new Table();
  table.chat.join("ana");
  assert.equal(table.welcome().code, "able");
  table.lose();
  table.timers.advance(1_000);
  table.open();
  assert.equal(table.request().code, "able");
});

test("a code that was refused is not remembered", () => {
  const table = new Table();
  table.chat.join("ana", "no");
  table.open();
  table.request();
  refuse(table, "code_wrong");
  assert.ok(!("code" in join()));
});

for (const code of ["code_required", "code_wrong", "name_held"]) {
  test(`who comes back and is refused with ${code} is told, and there is no further attempt`, () => {
    const table = new Table();
    table.chat.join("ana");
    table.welcome();
    table.lose();
    table.timers.advance(1_000);
    table.open();
    table.request();
    refuse(table, code);
    assert.equal(table.chat.stage, "outside");
    assert.equal(table.chat.refusal.code, code);
    const attempts = table.sockets.length;
    table.timers.advance(3_600_000);
    assert.equal(table.sockets.length, attempts);
  });
}
