/** The vaults of docs/secure-chats-vectors.json, computed here. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { part, secure, sodium } from "./libsodium.mjs";

const vaults = await part("vault");
const { check } = await part("vault_content");
const { canonical, decode, encode } = await part("octets");
const { openKey } = await part("epoch");
const v = JSON.parse(await readFile(new URL("../../docs/secure-chats-vectors.json", import.meta.url)));
const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const ALICE = v.accounts.alice;
const keyOf = (master) => new secure.UniqueKey(ALICE, hex(master));

/** The octets in a box, in one that is not random. */
function boxedAgain(sealed, commitment, own) {
  const { key } = openKey(decode(sealed), commitment, own);
  const secret = hex(v.moved.ephemeral);
  const [ephemeral, { box }] = [sodium.crypto_scalarmult_base(secret), own.public];
  const nonce = sodium.crypto_generichash(24, Uint8Array.of(...ephemeral, ...box));
  return encode(Uint8Array.of(...ephemeral, ...sodium.crypto_box_easy(key, nonce, box, secret)));
}

const line = secure.succession.ofText(v.vaults[2].content.own.line);

test("each is read, and written in the same octets", () => {
  for (const { about, version, master, nonce, content, blob, hash } of v.vaults) {
    const own = keyOf(master);
    const read = vaults.open(blob, version, own);
    assert.equal(read.hash, hash, about);
    assert.equal(canonical(read.content), canonical(check(content)), about);
    assert.equal(vaults.seal(content, version, own, decode(nonce)), blob, about);
    for (const wrong of [version + 1, version - 1, 0, 2 ** 53]) assert.throws(() => vaults.open(blob, wrong, own), secure.Refused);
  }
});

test("all that is in it comes back from a program", () => {
  const content = check(v.vaults[1].content);
  const people = new secure.People();
  secure.restore(people, content);
  assert.equal(canonical(check({ ...content, people: secure.pin(people) })), canonical(content));
  const own = new secure.OwnLine(people);
  own.restore(content.own, keyOf(v.vaults[1].master));
  assert.equal(canonical(own.kept), canonical(content.own));
  for (const [chat, memory] of Object.entries(content.chats)) {
    const options = { chat, own: keyOf(v.vaults[1].master), people, peer: memory.peer, now: () => memory.since };
    const opened = new secure.SecureChat(options);
    opened.restore(memory);
    assert.equal(canonical(opened.memory()), canonical(memory));
  }
});

test("they follow on each other, and move to the other keys", () => {
  const vault = new secure.Vault(keyOf(v.vaults[0].master));
  for (const { version, master, blob } of v.vaults) {
    vault.rekey(keyOf(master));
    vault.take(version, blob);
  }
  assert.throws(() => vault.take(3, v.vaults[2].blob), { reason: "rolled_back" });
  vault.rekey(keyOf(v.vaults[0].master));
  assert.throws(() => vault.take(4, v.vaults[3].blob), { reason: "undecryptable" });
});

test("what is moved is what was there, in boxes for the other keys", () => {
  const [own, next] = [v.vaults[1], v.vaults[2]].map((each) => keyOf(each.master));
  const before = { ...check(v.vaults[1].content), previous: v.vaults[1].hash };
  const made = secure.moved(before, own, next, line, v.moved.at);
  const wanted = check(v.vaults[2].content);
  for (const { epochs } of Object.values(made.chats)) {
    for (const epoch of epochs) epoch.sealed = boxedAgain(epoch.sealed, epoch.commitment, next);
  }
  assert.equal(canonical(made), canonical(wanted));
});

test("two come to the same, whichever is which", () => {
  for (const { about, one, other, merged } of v.merged) {
    const [a, b] = [check(one), check(other)];
    for (const both of [secure.merge(a, b), secure.merge(b, a)]) {
      assert.equal(canonical(both), canonical(check(merged)), about);
    }
  }
});
