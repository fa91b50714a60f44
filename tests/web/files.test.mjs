/** Files of secure chats in JavaScript: in pieces of any size, and refused where they are not what was sealed. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { part, secure } from "./libsodium.mjs";

const { CHUNK, HEADER, MORE } = await part("files");
const { join } = await part("octets");
const { FileOpener, FileSealer, opened, sealed, sealedSize } = secure;
const SIZES = [0, 1, 255, 256, 257, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 400_000];
const REFUSED = secure.Refused;

function random(size) {
  const octets = new Uint8Array(size);
  for (let at = 0; at < size; at += CHUNK) crypto.getRandomValues(octets.subarray(at, at + CHUNK));
  return octets;
}

function stream(octets, size) {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= octets.length) return controller.close();
      controller.enqueue(octets.slice(at, at + size));
      at += size;
    },
  });
}

async function all(pieces) {
  const parts = [];
  for await (const piece of pieces) parts.push(piece);
  return join(...parts);
}

async function seal(file, size = 10_000) {
  const sealer = new FileSealer(file.length);
  const octets = await all(sealed(stream(file, size), sealer));
  return { octets, about: { key: sealer.key, hash: sealer.hash, size: file.length } };
}

const open = (octets, about, size = 7_777) => all(opened(stream(octets, size), new FileOpener(about)));

test("both ways, as web streams", async () => {
  for (const size of SIZES) {
    const file = random(size);
    const { octets, about } = await seal(file);
    assert.equal(octets.length, sealedSize(size));
    for (const piece of [7_777, 1_000_000]) assert.deepEqual(await open(octets, about, piece), file);
  }
});

test("some chunks are in memory, and no more", () => {
  const file = random(40 * CHUNK);
  const sealer = new FileSealer(file.length);
  const pieces = [];
  for (let at = 0; at < file.length; at += CHUNK) pieces.push(sealer.add(file.subarray(at, at + CHUNK)));
  for (const piece of sealer.end()) pieces.push(piece);
  assert.ok(pieces.every((piece) => piece.length <= HEADER + CHUNK + MORE));
  const opener = new FileOpener({ key: sealer.key, hash: sealer.hash, size: file.length });
  const back = pieces.map((piece) => opener.add(piece));
  assert.ok(back.every((piece) => piece.length <= 2 * CHUNK));
  assert.deepEqual(join(...back, opener.end()), file);
});

test("nothing that was changed is the file", async () => {
  const file = random(150_000);
  const { octets, about } = await seal(file);
  const [first, second] = [HEADER, HEADER + CHUNK + MORE];
  const third = second + CHUNK + MORE;
  const wrong = [
    octets.slice(0, -1), octets.slice(0, second), octets.slice(0, third), new Uint8Array(0), octets.slice(0, 10),
    join(octets, new Uint8Array(1)),
    join(octets.slice(0, first), octets.slice(second, third), octets.slice(first, second), octets.slice(third)),
    join(octets.slice(0, third), octets.slice(second, third), octets.slice(third)),
  ];
  for (const place of [0, HEADER, second - 1, octets.length - 1]) {
    const flipped = octets.slice();
    flipped[place] ^= 1;
    wrong.push(flipped);
  }
  for (const each of wrong) await assert.rejects(open(each, about), REFUSED);
  const zeros = "A".repeat(43);
  for (const more of [{ size: file.length - 1 }, { hash: zeros }, { key: zeros }, { key: "x" }]) {
    await assert.rejects(async () => open(octets, { ...about, ...more }), REFUSED);
  }
});

test("a file that is not as long as it was said to be is not sealed", async () => {
  await assert.rejects(all(sealed([random(9)], new FileSealer(10))), RangeError);
  await assert.rejects(all(sealed([random(11)], new FileSealer(10))), RangeError);
});

test("what is given up is wiped, and gives nothing more", async () => {
  const sealer = new FileSealer(100);
  for await (const piece of sealed([random(50), random(50)], sealer)) {
    assert.equal(piece.length, HEADER);
    break;
  }
  assert.throws(() => sealer.add(random(CHUNK)));
  assert.equal(sealer.hash, null);
});
