/** In which picture of the browser the screen follows the store. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Pace } from "../../src/tertulia/web/pace.js";
import { FakeTimers } from "./fakes.js";

let timers, pace, asked, updates, updateTakesMs;

beforeEach(() => {
  timers = new FakeTimers();
  asked = [];
  updates = 0;
  updateTakesMs = 1;
  const update = () => {
    updates += 1;
    timers.time += updateTakesMs;
  };
  pace = new Pace(update, timers, (callback) => asked.push(callback));
});

/** Draw the next picture. */
function draw() {
  for (const callback of asked.splice(0)) callback();
}

test("the first change is in the next picture, however many there are", () => {
  pace.request();
  pace.request();
  assert.equal(asked.length, 1);
  draw();
  assert.equal(updates, 1);
});

test("a flood is shown every 50 ms, and less often where that takes long", () => {
  pace.request();
  draw();
  pace.request();
  timers.advance(48);
  assert.equal(asked.length, 0);
  timers.advance(1);
  updateTakesMs = 40;
  draw();
  assert.equal(updates, 2);
  pace.request();
  timers.advance(159);
  assert.equal(asked.length, 0);
  timers.advance(1);
  draw();
  assert.equal(updates, 3);
});

test("however long an update takes, the next one is due in 250 ms", () => {
  updateTakesMs = 100;
  pace.request();
  draw();
  pace.request();
  timers.advance(149);
  assert.equal(asked.length, 0);
  timers.advance(1);
  assert.equal(asked.length, 1);
});

test("a change after a pause waits for nothing but the next picture", () => {
  pace.request();
  draw();
  timers.advance(1_000);
  pace.request();
  draw();
  assert.equal(updates, 2);
});

test("what is typed is drawn in a picture of its own, before", () => {
  pace.request();
  pace.noteTyping();
  draw();
  assert.equal(updates, 0);
  draw();
  assert.equal(updates, 1);
});

test("somebody who types without a pause sees the messages too", () => {
  pace.request();
  for (let pictures = 0; pictures < 6; pictures++) {
    pace.noteTyping();
    draw();
    assert.equal(updates, 0);
    timers.advance(16);
  }
  timers.advance(4);
  pace.noteTyping();
  draw();
  assert.equal(updates, 1);
});
