/**
 * Files and voice notes: encrypted with a random key of their own, which a payload bears. Of a file only some chunks
 * are ever in memory.
 *
 *     const sealer = new FileSealer(file.size);
 *     for await (const piece of sealed(file.stream(), sealer)) await upload(piece);
 *     const { key, hash } = sealer;
 */

import { HASH } from "./envelope.js";
import { decode, encode, join } from "./octets.js";
import { padme } from "./padding.js";
import { malformed, Reason, Refused } from "./refused.js";
import { Digest, fresh, KEY, lib } from "./sodium.js";

export const CHUNK = 65536;
export const HEADER = 24;
export const MORE = 17;
const STATE = 52;
const PERSON = "safeum file v1";

/** Octets that lie at the node for a file of `size`. */
export function sealedSize(size) {
  const filled = padme(size);
  return HEADER + filled + MORE * Math.max(1, Math.ceil(filled / CHUNK));
}

/** What both ways have: the state of libsodium, in its memory, what waits for the rest of a chunk, and the hash. */
class Stream {
  constructor() {
    this.digest = new Digest(PERSON);
    this.state = null;
    this.waiting = new Uint8Array(0);
  }

  /** The next so many octets of what waits, of which there are more; null where there are not. */
  next(size) {
    if (this.waiting.length <= size) return null;
    const chunk = this.waiting.subarray(0, size);
    this.waiting = this.waiting.subarray(size);
    return chunk;
  }

  /** Zero the key, and give libsodium's memory back. Twice is harmless. */
  wipe() {
    this.digest.wipe();
    this.waiting = new Uint8Array(0);
    if (this.state === null) return;
    const raw = lib().libsodium;
    raw.HEAPU8.fill(0, this.state, this.state + STATE);
    raw._free(this.state);
    this.state = null;
  }
}

/**
 * Encrypts a file of `size` octets, piece by piece: `add` all of it, then take what `end` gives; `hash` is known then.
 * Keep what comes of it until it is acknowledged: never seal the same file again with the same key.
 */
export class FileSealer {
  #stream = new Stream();
  #left;
  #size;
  #ready;
  #hash = null;

  constructor(size, key = fresh(KEY)) {
    const { state, header } = lib().crypto_secretstream_xchacha20poly1305_init_push(key);
    this.key = encode(key);
    this.#size = this.#left = size;
    this.#stream.state = state;
    this.#ready = [header];
  }

  /** Of all that was to be uploaded, base64url; null until then. */
  get hash() {
    return this.#hash;
  }

  /** Some more of the file; what is to be uploaded of it. Throws RangeError past its size. */
  add(octets) {
    if (octets.length > this.#left) throw new RangeError("more than the file has");
    this.#left -= octets.length;
    return this.#add(octets);
  }

  /** The rest that is to be uploaded, in pieces. Throws RangeError before the file's size. */
  *end() {
    if (this.#left) throw new RangeError("less than the file has");
    for (let filling = padme(this.#size) - this.#size; filling > 0; filling -= CHUNK) {
      yield this.#add(new Uint8Array(Math.min(filling, CHUNK)));
    }
    this.#push(this.#stream.waiting, lib().crypto_secretstream_xchacha20poly1305_TAG_FINAL);
    const last = this.#flush();
    this.#hash = encode(this.#stream.digest.end());
    this.wipe();
    yield last;
  }

  wipe() {
    this.#stream.wipe();
  }

  #add(octets) {
    this.#stream.waiting = join(this.#stream.waiting, octets);
    const message = lib().crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    for (let chunk = this.#stream.next(CHUNK); chunk; chunk = this.#stream.next(CHUNK)) this.#push(chunk, message);
    return this.#flush();
  }

  #push(chunk, tag) {
    this.#ready.push(lib().crypto_secretstream_xchacha20poly1305_push(this.#stream.state, chunk, null, tag));
  }

  #flush() {
    const ready = join(...this.#ready);
    this.#ready = [];
    this.#stream.digest.add(ready);
    return ready;
  }
}

/** Decrypts what was uploaded, piece by piece. It is the file only once `end` has not thrown. */
export class FileOpener {
  #stream = new Stream();
  #key;
  #left;
  #filling;
  #hash;

  /** Of a payload; throws `Refused`. */
  constructor({ key, size, hash }) {
    this.#key = decode(key, HASH);
    this.#left = size;
    this.#filling = padme(size) - size;
    this.#hash = hash;
  }

  /** Some more of what lies at the node; what is in it. Throws `Refused`. */
  add(octets) {
    const stream = this.#stream;
    stream.digest.add(octets);
    stream.waiting = join(stream.waiting, octets);
    if (stream.state === null) {
      const header = stream.next(HEADER);
      if (!header) return new Uint8Array(0);
      stream.state = lib().crypto_secretstream_xchacha20poly1305_init_pull(header, this.#key);
    }
    const message = lib().crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    const opened = [];
    for (let chunk = stream.next(CHUNK + MORE); chunk; chunk = stream.next(CHUNK + MORE)) {
      opened.push(this.#pull(chunk, message));
    }
    return join(...opened);
  }

  /** The last of the file; throws `Refused` where it is not the one that was sealed. */
  end() {
    if (this.#stream.state === null) throw malformed();
    const last = this.#pull(this.#stream.waiting, lib().crypto_secretstream_xchacha20poly1305_TAG_FINAL);
    const hash = encode(this.#stream.digest.end());
    this.wipe();
    if (this.#left || this.#filling || hash !== this.#hash) throw new Refused(Reason.UNDECRYPTABLE);
    return last;
  }

  wipe() {
    this.#stream.wipe();
  }

  #pull(sealed, expected) {
    const { message: chunk, tag } = pull(this.#stream.state, sealed);
    const file = chunk?.subarray(0, this.#left);
    const filling = chunk?.subarray(file.length);
    if (tag !== expected || filling.length > this.#filling || filling.some((octet) => octet)) {
      throw new Refused(Reason.UNDECRYPTABLE);
    }
    this.#left -= file.length;
    this.#filling -= filling.length;
    return file;
  }
}

/** What is to be uploaded of a file that comes in pieces: of a web stream, or anything else to iterate over. */
export async function* sealed(file, sealer) {
  try {
    for await (const piece of file) yield sealer.add(piece);
    yield* sealer.end();
  } finally {
    sealer.wipe();
  }
}

/** The file in what comes of it. What was given is the file only once this has come to its end; throws `Refused`. */
export async function* opened(pieces, opener) {
  try {
    for await (const piece of pieces) yield opener.add(piece);
    yield opener.end();
  } finally {
    opener.wipe();
  }
}

function pull(state, chunk) {
  try {
    return lib().crypto_secretstream_xchacha20poly1305_pull(state, chunk) || {};
  } catch {
    return {};
  }
}
