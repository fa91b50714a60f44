/** When another epoch begins: after 100 messages, and after a day. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { secure } from "./libsodium.mjs";

const NOW = 1_800_000_000_000;
const DAY = 24 * 60 * 60 * 1000;
const [ALICE, BOB] = ["a", "b"].map((letter) => `@${letter.repeat(26)}:n.example`);

function program(account, peer, clock) {
  const own = new secure.UniqueKey(account, new Uint8Array(32).fill(account.charCodeAt(1)));
  const people = new secure.People();
  const chat = new secure.SecureChat({ chat: `!${"e".repeat(26)}`, own, people, peer, now: () => clock.now });
  return { own, people, chat };
}

function pair() {
  const clock = { now: NOW };
  const [alice, bob] = [program(ALICE, BOB, clock), program(BOB, ALICE, clock)];
  alice.people.told(BOB, bob.own.public, NOW);
  bob.people.told(ALICE, alice.own.public, NOW);
  let id = 0;
  /** How many epochs were made for it. */
  const say = (one, other) => {
    const { posts } = one.chat.say({ kind: "text", text: "x" }, "r");
    const events = posts.flatMap(({ data, quiet }) => (
      other.chat.take({ sender: one.own.account, id: `m${id += 1}`, data, quiet }).events
    ));
    assert.deepEqual(events.map(({ is }) => is), ["received"]);
    return posts.length - 1;
  };
  return { alice, bob, clock, say };
}

test("after 100 messages, of both together", () => {
  const { alice, bob, say } = pair();
  const made = Array.from({ length: 201 }, (_, at) => (at % 3 ? say(alice, bob) : say(bob, alice)));
  assert.deepEqual([...made.entries()].filter(([, epochs]) => epochs).map(([at]) => at), [0, 100, 200]);
});

test("after a day", () => {
  const { alice, bob, clock, say } = pair();
  assert.equal(say(alice, bob), 1);
  clock.now += DAY - 1;
  assert.equal(say(bob, alice), 0);
  clock.now += 1;
  assert.equal(say(bob, alice), 1);
  assert.equal(say(alice, bob), 0);
});
