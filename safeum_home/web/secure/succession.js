/** That an account has other keys now, said by those that it had. */

import { HASH } from "./envelope.js";
import { decode, join, number, Reader } from "./octets.js";
import { PublicKeys } from "./public_keys.js";
import { malformed } from "./refused.js";
import { isSigned, KEY, sign, SIGNATURE } from "./sodium.js";

function signed(account, before, after, at) {
  return join("safeum secure succession v1\0", account, "\0", decode(before, HASH), decode(after, HASH), number(at));
}

/** The content of an envelope. */
export function make(next, before, at) {
  const proof = sign(next.signing, signed(next.account, before, next.hash, at));
  return join(number(at), next.public.sign, next.public.box, proof);
}

/** What an envelope that keys with the hash `before` have signed says; throws `Refused`. */
export function read(envelope, account, before) {
  const reader = new Reader(envelope.content);
  const at = reader.number();
  const keys = new PublicKeys(reader.take(KEY).slice(), reader.take(KEY).slice());
  const proof = reader.take(SIGNATURE);
  reader.end();
  if (!isSigned(keys.sign, proof, signed(account, before, keys.hash, at))) throw malformed();
  return { at, keys };
}
