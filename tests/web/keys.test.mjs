/** docs/key-vectors.json, computed here: what the directory has of an account, and of its devices. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { part, secure } from "./libsodium.mjs";

const { identityOctets, launchOctets } = await part("public_keys");
const { decode, encode, fromUtf8 } = await part("octets");
const { publicOf, sign, signingOf } = await part("sodium");
const v = JSON.parse(await readFile(new URL("../../docs/key-vectors.json", import.meta.url)));
const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const { account, identity, launch } = v;
const own = signingOf(hex(v.private.sign));
const HOUR = 60 * 60 * 1000;

test("an identity", () => {
  assert.equal(encode(own.publicKey), identity.sign);
  assert.equal(encode(publicOf(hex(v.private.box))), identity.box);
  const signed = identityOctets(account, identity.sign, identity.box, identity.at);
  assert.equal(fromUtf8(signed), v.identity_signed);
  assert.equal(encode(sign(own.privateKey, signed)), identity.signature);
  assert.equal(secure.PublicKeys.of(account, identity).hash, v.hash);
});

test("launch keys", () => {
  const signed = launchOctets(account, launch);
  assert.equal(fromUtf8(signed), v.launch_signed);
  assert.equal(encode(sign(own.privateKey, signed)), launch.bound);
  const keys = secure.PublicKeys.of(account, identity);
  for (const [now, holds] of [[0, true], [-HOUR, true], [24 * HOUR, true], [-HOUR - 1, false], [24 * HOUR + 1, false]]) {
    assert.equal(secure.isBound(account, launch, keys, launch.at + now), holds, `${now}`);
  }
  const unique = new secure.UniqueKey(account, new Uint8Array(32));
  assert.ok(secure.isBound(account, { ...launch, bound: unique.bound(launch) }, unique.public, launch.at));
});

test("any bit that is flipped, any other account, and what is missing", () => {
  const keys = secure.PublicKeys.of(account, identity);
  const isIdentity = (changed) => secure.PublicKeys.of(account, { ...identity, ...changed }) !== null;
  const isLaunch = (changed) => secure.isBound(account, { ...launch, ...changed }, keys, launch.at);
  for (const [names, whole, holds] of [
    [["sign", "box", "signature"], identity, isIdentity], [["sign", "box", "bound"], launch, isLaunch],
  ]) {
    assert.ok(holds({}));
    for (const name of names) {
      for (let place = 0; place < 8 * decode(whole[name]).length; place += 1) {
        const flipped = decode(whole[name]);
        flipped[place >> 3] ^= 1 << (place & 7);
        assert.ok(!holds({ [name]: encode(flipped) }), `${name} ${place}`);
      }
    }
    for (const wrong of [...names, "at"]) {
      for (const value of [undefined, null, "", 1, {}]) assert.ok(!holds({ [wrong]: value }), wrong);
    }
  }
  assert.ok(!isLaunch({ device: `D${"c".repeat(16)}` }));
  const other = account.replace("a", "b");
  assert.equal(secure.PublicKeys.of(other, identity), null);
  assert.ok(!secure.isBound(other, launch, keys, launch.at));
});
