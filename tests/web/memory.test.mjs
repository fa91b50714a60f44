/** What libsodium's own memory has of keys after it was called with them: docs/secure-chats.md, "Memory". */

import assert from "node:assert/strict";
import { test } from "node:test";

import { part, secure, sodium } from "./libsodium.mjs";

const { EpochKey, openKey } = await part("epoch");
const { decode, encode } = await part("octets");
const { agree, digest, fresh, isSigned, open, seal, sign } = await part("sodium");
const ACCOUNT = `@${"a".repeat(26)}:n.example`;

function isThere(octets) {
  return Buffer.from(sodium.libsodium.HEAPU8.buffer).includes(octets);
}

test("a key that was left there is found", () => {
  const key = fresh(32);
  const place = sodium.libsodium._malloc(32);
  sodium.libsodium.HEAPU8.set(key, place);
  assert.ok(isThere(key));
  sodium.libsodium.HEAPU8.fill(0, place, place + 32);
  sodium.libsodium._free(place);
  assert.ok(!isThere(key));
});

test("keys of epochs are wiped once they are sealed to other keys, and with the chat", (t) => {
  const [own, next, peer] = [0, 1, 2].map(() => new secure.UniqueKey(ACCOUNT, fresh(32)));
  const people = new secure.People();
  const other = `@${"b".repeat(26)}:n.example`;
  people.told(other, peer.public, 1);
  const chat = new secure.SecureChat({ chat: `!${"c".repeat(26)}`, own, people, peer: other, now: () => 1 });
  chat.say({ kind: "text", text: "x" }, "r");
  const wiped = t.mock.method(EpochKey.prototype, "wipe").mock;
  assert.equal(secure.sealedTo(chat.memory(), own, next).epochs.length, 1);
  assert.equal(wiped.callCount(), 1);
  chat.close();
  assert.equal(wiped.callCount(), 2);
  const keys = wiped.calls.flatMap((call) => [call.this.key, ...call.this.senders.values()]);
  own.wipe();
  for (const key of [...keys, own.signing, own.box, own.vault]) assert.ok(key.length >= 32 && key.every((octet) => octet === 0));
});

test("no key stays there", () => {
  const master = fresh(32);
  const known = master.slice();
  const own = new secure.UniqueKey(ACCOUNT, master);
  const key = new EpochKey();
  const [about, nonce] = [fresh(58), fresh(24)];
  const [box] = key.boxes([own.public.box]);
  const opened = openKey(box, key.commitment(), own);
  const sender = opened.ofSender(ACCOUNT, own.hash);
  const sealed = seal(new Uint8Array(256), about, nonce, sender);
  assert.ok(open(sealed, about, nonce, sender));
  assert.ok(isSigned(own.public.sign, sign(own.signing, about, nonce), about, nonce));
  const shared = agree(own.box, new secure.UniqueKey(ACCOUNT, fresh(32)).public.box);
  const derived = digest(about, "a person", 32, shared);
  const seed = own.signing.slice(0, 32);
  const next = new secure.UniqueKey(ACCOUNT, fresh(32));
  const epoch = { id: own.hash, commitment: key.commitment(), sealed: encode(box), at: 1 };
  const chat = { ...secure.empty(), chats: { x: { epochs: [epoch] } } };
  const line = secure.succession.name(own, next.public, 1);
  const moved = secure.moved(chat, own, next, line, 1).chats.x.epochs[0].sealed;
  assert.deepEqual(openKey(decode(moved), key.commitment(), next).key, key.key);
  const keys = { next: next.box, known, seed, box: own.box, vault: own.vault, epoch: key.key, sender, shared, derived };
  const left = Object.entries(keys).filter(([, octets]) => isThere(octets)).map(([name]) => name);
  assert.deepEqual(left, []);
});
