// The values of docs/call-vectors.json, computed from its private keys by what docs/calls.md says, on @noble.
//
//   node call_vectors.mjs call-vectors.json
//
// Prints them as JSON, under the names that they have there.
import { readFileSync } from "node:fs";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const text = (octets) => Buffer.from(octets).toString("base64url");
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
const person = (name) => Buffer.from(name.padEnd(16, "\0"));
const canonical = (members) => JSON.stringify(Object.fromEntries(Object.entries(members).sort()));

function keys({ sign, ephemeral, nonce }, signing = sign) {
  const secret = Buffer.from(ephemeral, "hex");
  const shown = { sign: ed25519.getPublicKey(Buffer.from(signing, "hex")), ephemeral: x25519.getPublicKey(secret) };
  shown.nonce = Buffer.from(nonce, "hex");
  return { secret, shown, octets: join(shown.sign, shown.ephemeral, shown.nonce), signing: Buffer.from(signing, "hex") };
}
const members = ({ shown }) => Object.fromEntries(Object.entries(shown).map(([name, octets]) => [name, text(octets)]));

const { initiator, other, responder } = given.private;
const [mine, theirs, spare] = [keys(initiator), keys(responder), keys(other, initiator.sign)];
const commitment = ({ octets }) => blake2b(octets, { dkLen: 32, personalization: person("safeum call hide") });
const hello = join([1], commitment(spare), commitment(mine));

const responseSigned = "safeum call response v1\0" + canonical({ ...given.pair, ...members(theirs), hello: text(hello) });
const response = join([2], theirs.octets, ed25519.sign(Buffer.from(responseSigned), theirs.signing));

const said = { hello: text(hello), number: 1, response: text(response) };
const revealSigned = "safeum call reveal v1\0" + canonical({ ...given.pair, ...members(mine), ...said });
const reveal = join([3, 1], mine.octets, ed25519.sign(Buffer.from(revealSigned), mine.signing));

const transcript = blake2b(Buffer.from(revealSigned), { dkLen: 32, personalization: person("safeum call") });
const shared = x25519.getSharedSecret(theirs.secret, mine.shown.ephemeral);
const derive = (label, dkLen) =>
  blake2b(join(transcript, Buffer.from(label)), { key: shared, dkLen, personalization: person("safeum call key") });
const halves = { initiator: derive("initiator", 32), responder: derive("responder", 32) };

const octets = derive("words", 11);
const bits = [...octets].map((octet) => octet.toString(2).padStart(8, "0")).join("");
const numbers = [42, 55, 68].map((at) => String(1000 + parseInt(bits.slice(at, at + 13), 2)));
const emoji = [0, 6, 12, 18, 24, 30, 36].map((at) => parseInt(bits.slice(at, at + 6), 2));

const counts = { initiator: 0, responder: 0 };
function seal(by, plain) {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(++counts[by]));
  const size = [256, 1024, 4096, 8192, 16384].find((each) => Buffer.byteLength(plain) < each);
  const padded = Buffer.alloc(size);
  padded[padded.write(plain)] = 0x80;
  const about = join(Buffer.from("safeum call signal v1\0" + given.pair.call), [by === "initiator" ? 0 : 1], number);
  const cipher = xchacha20poly1305(halves[by], join(Buffer.alloc(16), number), about);
  return { by, said: plain, size, signal: text(join([4], number, cipher.encrypt(padded))) };
}

const offer = JSON.parse(given.signals[1].said);
const description = { epoch: offer.epoch, kind: offer.kind, sdp: text(sha256(Buffer.from(offer.sdp))) };
const offerSigned = "safeum call description v1\0" + canonical({ ...description, transcript: text(transcript) });
const signature = text(ed25519.sign(Buffer.from(offerSigned), mine.signing));
const plains = given.signals.map((each) => ({ ...each }));
plains[1].said = JSON.stringify({ ...offer, signature });

console.log(JSON.stringify({
  hello: text(hello),
  response_signed: responseSigned,
  response: text(response),
  reveal_signed: revealSigned,
  reveal: text(reveal),
  transcript: text(transcript),
  words: { octets: Buffer.from(octets).toString("hex"), emoji, numbers },
  offer_signed: offerSigned,
  signals: plains.map((each) => seal(each.by, each.said)),
}));
