/** Files and voice notes: encrypted with a random key of their own, which a payload bears. */

import { HASH } from "./envelope.js";
import { decode, encode, join } from "./octets.js";
import { padme } from "./padding.js";
import { malformed, Reason, Refused } from "./refused.js";
import { digest, fresh, KEY, lib } from "./sodium.js";

export const CHUNK = 65536;
export const HEADER = 24;
export const MORE = 17;
const PERSON = "safeum file v1";

/** Octets that lie at the node for a file of `size`. */
export function sealedSize(size) {
  const filled = padme(size);
  return HEADER + filled + MORE * Math.max(1, Math.ceil(filled / CHUNK));
}

/** A file as it is uploaded: `{sealed, key, hash}`, the last two base64url. All of it is in memory. */
export function sealFile(file, key = fresh(KEY)) {
  const sodium = lib();
  const filled = new Uint8Array(padme(file.length));
  filled.set(file);
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  const parts = [header];
  for (let at = 0; at < filled.length; at += CHUNK) {
    const tag = at + CHUNK < filled.length
      ? sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE : sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    const chunk = filled.subarray(at, at + CHUNK);
    parts.push(sodium.crypto_secretstream_xchacha20poly1305_push(state, chunk, null, tag));
  }
  const sealed = join(...parts);
  return { sealed, key: encode(key), hash: encode(digest(sealed, PERSON)) };
}

/** The file in what was uploaded, as a payload has key, size and hash; throws `Refused`. */
export function openFile(sealed, { key, size, hash }) {
  if (sealed.length !== sealedSize(size)) throw malformed();
  if (encode(digest(sealed, PERSON)) !== hash) throw new Refused(Reason.UNDECRYPTABLE);
  const sodium = lib();
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(sealed.subarray(0, HEADER), decode(key, HASH));
  const parts = [];
  for (let at = HEADER; at < sealed.length; at += CHUNK + MORE) {
    const pulled = pull(state, sealed.subarray(at, at + CHUNK + MORE));
    const last = pulled.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    const plain = last || pulled.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    if (!plain || last !== at + CHUNK + MORE >= sealed.length) throw new Refused(Reason.UNDECRYPTABLE);
    parts.push(pulled.message);
  }
  const filled = join(...parts);
  if (filled.subarray(size).some((octet) => octet)) throw new Refused(Reason.UNDECRYPTABLE);
  return filled.slice(0, size);
}

function pull(state, chunk) {
  let pulled;
  try {
    pulled = lib().crypto_secretstream_xchacha20poly1305_pull(state, chunk);
  } catch {
    pulled = false;
  }
  if (!pulled) throw new Refused(Reason.UNDECRYPTABLE);
  return pulled;
}
