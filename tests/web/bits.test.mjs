/** Any single bit that is flipped, in one of each of what is signed or sealed: the samples are those of the vectors. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { part, secure } from "./libsodium.mjs";

const v = JSON.parse(await readFile(new URL("../../docs/secure-chats-vectors.json", import.meta.url)));
const envelopes = await part("envelope");
const epochs = await part("epoch");
const messages = await part("message");
const vaults = await part("vault");
const { decode, encode } = await part("octets");
const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const { alice: ALICE, bob: BOB } = v.accounts;
const bob = new secure.UniqueKey(BOB, hex(v.bob.master));
const last = new secure.UniqueKey(ALICE, hex(v.next_masters[1]));
const where = new envelopes.Place(v.chat, ALICE);

/** Whatever `taken` makes of octets of which one bit is another: nothing, or it is refused. Of all bits, or each `step`. */
function refusesAll(octets, taken, step = 1) {
  for (let place = 0; place < 8 * octets.length; place += step) {
    const flipped = octets.slice();
    flipped[place >> 3] ^= 1 << (place & 7);
    let made = null;
    try {
      made = taken(flipped);
    } catch (error) {
      assert.ok(error instanceof secure.Refused, error.stack);
    }
    assert.ok(made === null || made === false, `bit ${place}`);
  }
  assert.ok(taken(octets));
}

for (const { kind, data } of v.envelopes) {
  test(`an envelope: ${kind}`, () => {
    const sign = kind === "succession" ? last.public.sign : decode(v.unique_key.sign);
    refusesAll(decode(data), (octets) => envelopes.read(encode(octets)).isSigned(where, sign));
  });
}

test("what is sealed in a message, without its signature", () => {
  const [, epoch, message] = v.envelopes.map(({ data }) => envelopes.read(data));
  const key = epochs.open(epochs.read(epoch), bob).ofSender(ALICE, v.unique_key.hash);
  const signature = message.octets.slice(-64);
  refusesAll(message.octets.slice(0, -64), (octets) => {
    const whole = envelopes.read(encode(Uint8Array.of(...octets, ...signature)));
    return messages.open(whole, messages.read(whole), where, key);
  });
});

test("a box", () => {
  const epoch = epochs.read(envelopes.read(v.envelopes[1].data));
  refusesAll(epoch.members.get(BOB).extra, (box) => epochs.openKey(box, epoch.commitment, bob));
});

for (const { about, version, master, blob } of v.vaults) {
  test(`a vault: ${about}`, () => {
    const own = new secure.UniqueKey(ALICE, hex(master));
    refusesAll(decode(blob), (octets) => vaults.open(encode(octets), version, own), 7);
  });
}

test("a file", () => {
  refusesAll(decode(v.file.sealed), (octets) => {
    const opener = new secure.FileOpener(v.file);
    try {
      return [opener.add(octets), opener.end()];
    } finally {
      opener.wipe();
    }
  });
});
