/** The modules of the page keep the rules in `tests/vectors`, which the Python originals keep too. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CatchUp } from "../../src/tertulia/web/catchup.js";
import { CommandError, complete, parse } from "../../src/tertulia/web/commands.js";
import { Jobs } from "../../src/tertulia/web/jobs.js";
import { mentions } from "../../src/tertulia/web/mentions.js";
import { isReserved, parseName } from "../../src/tertulia/web/names.js";
import { Nodes } from "../../src/tertulia/web/nodes/nodes.js";
import { isNetwork } from "../../src/tertulia/web/operator/networks.js";
import { similarName } from "../../src/tertulia/web/similar.js";
import { State } from "../../src/tertulia/web/state.js";
import { checkText } from "../../src/tertulia/web/texts.js";
import { setLanguage } from "../../src/tertulia/web/words.js";
import { FakeTimers, readJson } from "./fakes.js";

function vectors(name) {
  return readJson(new URL(`../vectors/${name}.json`, import.meta.url));
}

function assertKnown(known, step) {
  for (const [what, value] of Object.entries(known)) {
    if (what in step) {
      assert.deepEqual(value, step[what], `${what} of ${JSON.stringify(step)}`);
    }
  }
}

test("names", () => {
  const table = vectors("names");
  for (const spellings of table.same) {
    assert.equal(new Set(spellings.map((raw) => parseName(raw).key)).size, 1, spellings);
  }
  for (const [one, other] of table.different) {
    assert.notEqual(parseName(one).key, parseName(other).key);
  }
  for (const [raw, shown] of table.shown) {
    assert.equal(parseName(raw)?.shown, shown);
  }
  for (const raw of table.invalid) {
    assert.equal(parseName(raw), null, raw);
    assert.equal(isReserved(raw), false, raw);
  }
  for (const raw of table.reserved) {
    assert.equal(parseName(raw), null, raw);
    assert.equal(isReserved(raw), true, raw);
  }
});

test("mentions", () => {
  const table = vectors("mentions");
  const key = (name) => parseName(name)?.key ?? "";
  for (const form of ["NFC", "NFD"]) {
    for (const [name, text] of table.mentions) {
      assert.ok(mentions(text.normalize(form), key(name)), `${name} in ${text}, ${form}`);
    }
    for (const [name, text] of table.not_mentions) {
      assert.ok(!mentions(text.normalize(form), key(name)), `${name} not in ${text}, ${form}`);
    }
  }
  for (const [name, text] of table.with_at) {
    assert.ok(mentions(text, key(name), true), text);
  }
  for (const [name, text] of table.without_at) {
    assert.ok(!mentions(text, key(name), true), text);
  }
  const before = performance.now();
  assert.ok(!mentions("ana".repeat(5_000), "ana"));
  assert.ok(performance.now() - before < 1_000);
});

test("texts", () => {
  for (const [code, texts] of Object.entries(vectors("texts"))) {
    for (const { text, times = 1 } of texts) {
      assert.equal(checkText(text.repeat(times)), code === "valid" ? null : code, text);
    }
  }
});

test("networks", () => {
  const table = vectors("networks");
  for (const text of table.networks) assert.equal(isNetwork(text), true, text);
  for (const text of table.no_networks) assert.equal(isNetwork(text), false, text);
});

test("lines", () => {
  for (const [line, command] of vectors("commands").lines) {
    assert.deepEqual(parse(line), command, line);
  }
});

test("wrong lines", () => {
  for (const [line, words] of vectors("commands").wrong) {
    assert.throws(
      () => parse(line),
      (error) => error instanceof CommandError && error.words() === words,
      line,
    );
  }
});

test("similar names", () => {
  const table = vectors("commands");
  for (const [name, guess] of table.similar) {
    assert.equal(similarName(name, table.names), guess, name);
  }
});

test("completions", async () => {
  const table = vectors("commands");
  for (const [language, before, start, candidates] of table.completions) {
    await setLanguage(language);
    assert.deepEqual(complete(before, table.names), { start, candidates }, before);
  }
  await setLanguage("en");
});

for (const vector of vectors("state")) {
  test(`state: ${vector.title}`, () => {
    const state = new State(vector.welcome);
    for (const step of vector.steps) {
      if (step.message) {
        state.apply(step.message);
      } else if (step.resume) {
        state.resume(step.resume);
      } else if (step.ask) {
        state.askedStatus = step.ask;
      } else if (step.do === "refuse_users") {
        state.refuseUsers();
      } else if (step.do) {
        state.answerStatus(step.do === "grant");
      }
      assertKnown(
        {
          users: state.users.map(({ name, status }) => [name, status]),
          needs_users: state.needsUsers,
          status: state.status,
          asked: state.askedStatus,
          names: state.names(),
        },
        step,
      );
      for (const [spelling, name] of Object.entries(step.registered ?? {})) {
        assert.equal(state.registeredName(spelling), name);
      }
    }
  });
}

function said(seq, fields = {}) {
  return { type: "message", seq, time: "", from: "luis", text: "", ...fields };
}

/** Do what a step says; return what is shown. */
function takeStep(catchUp, step, kept) {
  const messages = (step.page ?? step.late_page ?? step.older ?? []).map((seq) => said(seq));
  const page = { type: "history", messages, more: step.more ?? false };
  if (step.live) {
    const { nonce, sender = "luis" } = step;
    return catchUp.addLive(said(step.live, { nonce, from: sender }));
  }
  if (step.joined) {
    return catchUp.addLive({ type: "joined", seq: step.joined, name: "a", status: "ACTIVO" });
  }
  if (step.gap) {
    const [after, through] = step.gap;
    return catchUp.addLive({ type: "gap", after, through });
  }
  if (step.page) {
    return catchUp.addPage(catchUp.request, page);
  }
  if (step.late_page) {
    return catchUp.addPage(kept[0], page);
  }
  if (step.refuse) {
    return catchUp.giveUp(catchUp.request, { code: step.refuse, seq: step.last_message });
  }
  if (step.resume) {
    assert.equal(catchUp.resume(step.resume), step.renumbered);
  } else if (step.older) {
    catchUp.addOlderPage(page);
  }
  return null;
}

for (const vector of vectors("catchup")) {
  test(`catching up: ${vector.title}`, () => {
    const catchUp = new CatchUp({ seq: vector.seq, epoch: "e" }, vector.first_page);
    const kept = [];
    for (const step of vector.steps) {
      const shown = takeStep(catchUp, step, kept);
      if (shown !== null) {
        const inShort = shown.map(({ type, seq, after, through }) =>
          type === "gap" ? `${after}-${through}` : seq,
        );
        assert.deepEqual(inShort, step.shown, JSON.stringify(step));
      }
      const request = step.request && { type: "history", ...step.request };
      assertKnown(
        { request: catchUp.request, oldest: catchUp.oldestSeq },
        "request" in step ? { ...step, request } : step,
      );
      if (step.keep) {
        kept.push(catchUp.request);
      }
    }
  });
}

for (const vector of vectors("jobs")) {
  test(`jobs: ${vector.title}`, () => {
    const jobs = new Jobs();
    const ids = new Map();
    for (const step of vector.steps) {
      const now = step.at * 1_000;
      if (step.add) {
        jobs.add(step.add, step.origin ?? "typed");
      }
      if (step.interrupt) {
        jobs.interrupt();
      }
      if (step.set_aside) {
        jobs.setAside(now);
      }
      if ("late" in step) {
        assert.equal(jobs.giveUpLate(now)?.request.type ?? null, step.late);
      }
      if (step.answer) {
        const job = jobs.finish({ ...step.answer, id: ids.get(step.to) }, now);
        assert.equal(job?.request.type ?? null, step.finished, JSON.stringify(step));
      }
      if ("send" in step) {
        const job = jobs.popReady(now);
        assert.equal(job?.request.type ?? null, step.send, JSON.stringify(step));
        if (job) {
          ids.set(step.send, ids.size);
          jobs.start(job, ids.get(step.send), now);
          assertKnown({ nonce: job.request.nonce, repeated: job.isRepeated }, step);
        }
      }
      if ("wake_at" in step) {
        assert.ok(Math.abs(jobs.wakeAt - step.wake_at * 1_000) < 1, JSON.stringify(step));
      }
    }
  });
}

for (const vector of vectors("nodes")) {
  test(`nodes: ${vector.title}`, () => {
    const timers = new FakeTimers();
    const nodes = new Nodes(timers);
    let waits = []; // the node to try after a wait
    for (const { at, enter, learn, per_node, lose, lose_to, order, again } of vector.steps) {
      timers.time = at * 1_000;
      const next = () => {
        const [url, delayMs] = nodes.next(() => 1_000);
        return [new URL(url).host, delayMs];
      };
      if (enter) nodes.enter(`ws://${enter[0]}/ws`, enter, per_node);
      if (learn) nodes.learn(learn, per_node);
      if (lose_to) assert.deepEqual(next(), [lose_to, -1]);
      if (lose ?? order ?? again) {
        const tried = [...waits];
        let [host, delayMs] = next();
        for (; delayMs < 0; [host, delayMs] = next()) tried.push(host);
        assert.deepEqual(order ? tried : tried.sort(), lose ?? order ?? again);
        waits = [host];
      }
    }
  });
}
