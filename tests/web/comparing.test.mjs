/** Comparing emoji: what somebody between the two could do. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { part } from "./libsodium.mjs";

const { Comparison } = await part("comparing");
const { encode } = await part("octets");
const one = (letter) => ({ account: `@${letter.repeat(26)}:n.example`, hash: letter.toUpperCase().repeat(43) });
const PAIR = { chat: `!${"e".repeat(26)}`, beginner: one("a"), other: one("b") };

class Side {
  said = [];
  shown = null;
  result = null;
  say(payload) { this.said.push(payload); }
  show(words) { this.shown = words; }
  done(same) { this.result = same; }
}

function begun() {
  const [alice, bob] = [new Side(), new Side()];
  alice.machine = new Comparison(PAIR, alice);
  alice.machine.begin();
  bob.machine = Comparison.asked(PAIR, alice.said[0], bob);
  bob.machine.agree();
  return [alice, bob];
}

test("both see the same", () => {
  const [alice, bob] = begun();
  alice.machine.heard(bob.said.at(-1));
  bob.machine.heard(alice.said.at(-1));
  assert.deepEqual(alice.shown, bob.shown);
  assert.equal(alice.shown.emoji.length, 7);
});

test("a key that was chosen late", () => {
  const [alice, bob] = begun();
  alice.machine.heard(bob.said.at(-1));
  bob.machine.heard({ ...alice.said.at(-1), key: encode(new Uint8Array(32).fill(7)) });
  assert.deepEqual([bob.shown, bob.result], [null, false]);
});

test("a key of small order", () => {
  const [alice, bob] = begun();
  alice.machine.heard({ ...bob.said.at(-1), key: encode(new Uint8Array(32)) });
  assert.deepEqual([alice.shown, alice.result], [null, false]);
});
