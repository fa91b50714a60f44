/** Keys that name their followers: what is not laid out so, or was not said by the keys before, is refused. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { part, secure } from "./libsodium.mjs";

const { join } = await part("octets");
const { Line, name, ofText, read } = secure.succession;
const ALICE = `@${"a".repeat(26)}:n.example`;
const BOB = `@${"b".repeat(26)}:n.example`;
const keys = Array.from({ length: 10 }, (_, at) => new secure.UniqueKey(ALICE, new Uint8Array(32).fill(at + 1)));

/** Of so many keys, each of which has named the next ones. */
function lineOf(count) {
  return keys.slice(1, count).reduce((line, next, at) => name(keys[at], next.public, at, line), null);
}

const said = (octets, account = ALICE) => read({ content: octets }, account);
const malformed = { reason: "malformed" };

test("any bit of a line, whoever signs the envelope around it", () => {
  const { octets } = lineOf(3);
  for (let place = 0; place < 8 * octets.length; place += 1) {
    const flipped = octets.slice();
    flipped[place >> 3] ^= 1 << (place & 7);
    assert.throws(() => said(flipped), malformed, `bit ${place}`);
  }
  assert.equal(said(octets).last.hash, keys[2].hash);
  assert.throws(() => said(octets, BOB), malformed);
});

test("lines of other lengths", () => {
  const { octets } = lineOf(3);
  for (const wrong of [octets.subarray(0, -1), join(octets, "\0"), octets.subarray(0, 65), new Uint8Array(0)]) {
    assert.throws(() => said(wrong), malformed);
  }
  assert.throws(() => said(join(octets.subarray(0, 64), "\0")), malformed);
  const long = lineOf(10);
  assert.deepEqual(long.keys.map((each) => each.hash), keys.slice(1).map((each) => each.hash));
  assert.equal(said(long.octets).keys.length, 9);
  const longer = new Line(keys[0].public, [...lineOf(2).named, ...long.named]);
  assert.ok(longer.isSaid(ALICE));
  assert.throws(() => said(longer.octets), malformed);
});

test("keys that stand in a line twice", () => {
  const line = name(keys[1], keys[0].public, 3, lineOf(2));
  assert.ok(line.isSaid(ALICE));
  assert.throws(() => said(line.octets), malformed);
  assert.throws(() => ofText(line.text), malformed);
});

test("a vault moves to the keys that its line leads to", () => {
  const content = { ...secure.empty(), people: {} };
  const made = secure.moved(content, keys[0], keys[1], lineOf(2), 5);
  assert.equal(ofText(made.own.line).before.hash, keys[0].hash);
  assert.throws(() => secure.moved(content, keys[0], keys[2], lineOf(2), 5), { reason: "no_keys" });
});
