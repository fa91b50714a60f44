/** A message: sealed under its sender's key in an epoch. */

import { HASH, HEAD, headOctets, STREAM } from "./envelope.js";
import { decode, join, number, Reader } from "./octets.js";
import { BUCKETS, padded, unpadded } from "./padding.js";
import { malformed, Reason, Refused } from "./refused.js";
import { fresh, NONCE, open as openSealed, seal as sealPlain, TAG } from "./sodium.js";

export const MOST_SEEN = 8;
export const HALF = 16;
const ABOUT = "safeum secure message v1\0";

function inner({ at, vault, seen, payload }) {
  const each = seen.map((one) => join(decode(one.stream, STREAM), number(one.number), decode(one.half, HALF)));
  return join(number(at), number(vault), number(seen.length, 1), ...each, payload);
}

/** The content of an envelope; throws `Refused`. */
export function seal(said, head, where, epoch, key, nonce = fresh(NONCE)) {
  const named = decode(epoch, HASH);
  const about = join(where.about(ABOUT), headOctets(head), named);
  return join(named, nonce, sealPlain(padded(inner(said)), about, nonce, key));
}

/** Epoch, nonce and what is sealed; throws `Refused`. */
export function read(envelope) {
  const reader = new Reader(envelope.content);
  const sealed = { epoch: reader.name(HASH), nonce: reader.take(NONCE), sealed: reader.rest() };
  if (!BUCKETS.includes(sealed.sealed.length - TAG)) throw malformed();
  return sealed;
}

/** What was sealed; throws `Refused`. */
export function open(envelope, sealed, where, key) {
  const about = join(where.about(ABOUT), envelope.octets.subarray(0, HEAD + HASH));
  const plain = openSealed(sealed.sealed, about, sealed.nonce, key);
  if (plain === null) throw new Refused(Reason.UNDECRYPTABLE);
  const reader = new Reader(unpadded(plain));
  const [at, vault, count] = [reader.number(), reader.number(), reader.number(1)];
  if (count > MOST_SEEN) throw malformed();
  const seen = Array.from({ length: count }, () => (
    { stream: reader.name(STREAM), number: reader.number(), half: reader.name(HALF) }
  ));
  return { at, vault, seen, payload: reader.rest() };
}
