/** docs/secure-chats-vectors.json, computed here. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { commitment, shown } from "../../safeum_home/web/secure/comparing.js";
import * as envelopes from "../../safeum_home/web/secure/envelope.js";
import * as epochs from "../../safeum_home/web/secure/epoch.js";
import * as messages from "../../safeum_home/web/secure/message.js";
import { decode, encode, fromUtf8, join, number, utf8 } from "../../safeum_home/web/secure/octets.js";
import { padme } from "../../safeum_home/web/secure/padding.js";
import * as payloads from "../../safeum_home/web/secure/payloads.js";
import * as rosters from "../../safeum_home/web/secure/roster.js";
import * as succession from "../../safeum_home/web/secure/succession.js";
import { saltOf } from "../../safeum_home/web/secure/unique_key.js";
import { secure, sodium, zxcvbn } from "./libsodium.mjs";

const v = JSON.parse(await readFile(new URL("../../docs/secure-chats-vectors.json", import.meta.url)));
const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const { alice: ALICE, bob: BOB } = v.accounts;
const alice = secure.UniqueKey.of(ALICE, v.unique_key.words, zxcvbn);
const bob = new secure.UniqueKey(BOB, hex(v.bob.master));
const where = new envelopes.Place(v.chat, ALICE);
const read = v.envelopes.map((each) => envelopes.read(each.data));
const [roster, epoch, message, succeeded] = read;
const hashes = new Map([[ALICE, alice.hash], [BOB, bob.hash]]);

test("unique keys", () => {
  assert.equal(new secure.UniqueKey(ALICE, hex(v.unique_key.master)).hash, v.unique_key.hash);
  assert.equal(encode(saltOf(ALICE)), v.unique_key.salt);
  assert.deepEqual(alice.public.texts(), { sign: v.unique_key.sign, box: v.unique_key.box });
  assert.deepEqual(bob.public.texts(), { sign: v.bob.sign, box: v.bob.box });
  assert.equal(alice.hash, v.unique_key.hash);
  assert.equal(alice.identity(v.unique_key.at).signature, v.unique_key.signature);
  assert.equal(secure.PublicKeys.of(ALICE, alice.identity(1)).hash, alice.hash);
  assert.equal(secure.PublicKeys.of(BOB, alice.identity(1)), null);
});

test("envelopes", () => {
  let previous = envelopes.NONE;
  for (const [at, each] of v.envelopes.entries()) {
    const isLast = at === 3;
    const own = isLast ? new secure.UniqueKey(ALICE, hex(v.next_masters[1])) : alice;
    assert.equal(read[at].hash, each.hash);
    assert.equal(read[at].head.kind, envelopes.Kind[each.kind.toUpperCase()]);
    const { number: place, previous: before } = read[at].head;
    assert.deepEqual([place, before], isLast ? [1, envelopes.NONE] : [at + 1, previous]);
    assert.ok(read[at].isSigned(where, own.public.sign));
    const again = envelopes.seal(read[at].head, read[at].content, where, own.signing);
    assert.equal(again.data, each.data);
    previous = each.hash;
  }
});

test("roster", () => {
  const said = rosters.read(roster);
  assert.deepEqual([...said.members], [...hashes]);
  assert.deepEqual(rosters.make(said.at, said.previous, said.members), roster.content);
});

test("epoch", () => {
  const said = epochs.read(epoch);
  assert.deepEqual([...said.hashes], [...hashes]);
  assert.equal(said.roster, roster.hash);
  for (const own of [alice, bob]) {
    const key = epochs.open(said, own);
    assert.deepEqual(key.key, hex(v.epoch_key));
    assert.equal(key.commitment(), said.commitment);
  }
  [...said.members.values()].forEach((member, at) => {
    const secret = hex(v.boxes.ephemeral[at]);
    const [ephemeral, box] = [sodium.crypto_scalarmult_base(secret), [alice, bob][at].public.box];
    const nonce = sodium.crypto_generichash(24, Uint8Array.of(...ephemeral, ...box));
    const sealed = sodium.crypto_box_easy(hex(v.epoch_key), nonce, box, secret);
    assert.deepEqual(Uint8Array.of(...ephemeral, ...sealed), member.extra);
  });
});

test("message", () => {
  const key = epochs.open(epochs.read(epoch), bob).ofSender(ALICE, alice.hash);
  const inner = messages.open(message, messages.read(message), where, key);
  assert.deepEqual({ ...inner, payload: fromUtf8(inner.payload) }, v.inner);
  assert.deepEqual(payloads.encode(payloads.decode(inner.payload)), inner.payload);
  const said = { ...v.inner, payload: utf8(v.inner.payload) };
  assert.deepEqual(messages.seal(said, message.head, where, epoch.hash, key, decode(v.nonce)), message.content);
});

test("succession", () => {
  const said = succession.read(succeeded, ALICE);
  const [second, third] = v.next_masters.map((each) => new secure.UniqueKey(ALICE, hex(each)));
  assert.deepEqual(said.keys.map((each) => each.hash), [alice, second, third].map((each) => each.hash));
  assert(succeeded.isSigned(where, third.public.sign));
  const line = succession.name(alice, second.public, said.named[0].at);
  const made = succession.name(second, third.public, said.named[1].at, line);
  assert.deepEqual(made.octets, succeeded.content);
  assert.equal(succession.ofText(made.text).text, made.text);
});

test("file", () => {
  const opener = new secure.FileOpener(v.file);
  const pieces = [opener.add(decode(v.file.sealed)), opener.end()];
  assert.deepEqual(join(...pieces), decode(v.file.file));
  for (const [size, filled] of Object.entries(v.padme)) assert.equal(padme(Number(size)), filled);
});

test("what people compare", () => {
  const { compared } = v;
  const [one, other] = [alice, bob].map((each) => ({ account: each.account, keys: each.public, hash: each.hash }));
  assert.equal(secure.safetyNumber(one, other), compared.safety_number);
  assert.equal(secure.safetyNumber(other, one), compared.safety_number);
  assert.equal(secure.fingerprint(alice.hash), compared.fingerprint);
  assert.equal(secure.scanText(one, other), compared.picture);
  assert.ok(secure.scanned(compared.picture, other, one));
  assert.ok(!secure.scanned(compared.picture, { ...other, hash: one.hash }, one));
  const secrets = compared.emoji.keys.map(hex);
  const keys = secrets.map((each) => sodium.crypto_scalarmult_base(each));
  const nonce = decode(compared.emoji.nonce);
  assert.equal(commitment(keys[0], nonce), compared.emoji.commitment);
  const pair = { chat: v.chat, beginner: one, other };
  const seen = shown(pair, compared.emoji.compare, keys, nonce, sodium.crypto_scalarmult(secrets[0], keys[1]));
  assert.deepEqual(seen.emoji.map((each) => each.name), compared.emoji.words);
  assert.deepEqual(seen.numbers, compared.emoji.numbers);
});

test("numbers of eight octets", () => {
  assert.deepEqual(number(2 ** 53 - 1), Uint8Array.of(0, 31, 255, 255, 255, 255, 255, 255));
});
