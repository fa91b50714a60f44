/** The public half of a unique key, and its hash as docs/keys.md has it. */

import { canonical, decode, encode, join } from "./octets.js";
import { agree, digest, isSigned, KEY, SIGNATURE } from "./sodium.js";

const FIELD = 2n ** 255n - 19n;
/** Milliseconds for which a signature binds launch keys, and by which the clock of a device may be ahead. */
const BOUND_FOR = 24 * 60 * 60 * 1000;
const BOUND_AHEAD = 60 * 60 * 1000;

/** Two keys of 32 octets; `hash` is base64url, as in the directory. */
export class PublicKeys {
  constructor(sign, box) {
    this.sign = sign;
    this.box = box;
    this.hash = encode(digest(join(sign, box), "safeum key hash"));
  }

  /** Of base64url; throws `Refused`. */
  static read({ sign, box }) {
    return new PublicKeys(decode(sign, KEY), decode(box, KEY));
  }

  /** Those that the directory has of an account; null where they are not signed by themselves, or good for nothing. */
  static of(account, identity) {
    try {
      const keys = PublicKeys.read(identity);
      const octets = identityOctets(account, identity.sign, identity.box, identity.at);
      const signed = isSigned(keys.sign, decode(identity.signature, SIGNATURE), octets);
      return signed && isWritable(keys.box) ? keys : null;
    } catch {
      return null;
    }
  }

  texts() {
    return { sign: encode(this.sign), box: encode(this.box) };
  }
}

/** What is signed of an identity. */
export function identityOctets(account, sign, box, at) {
  return join("safeum account keys v1\0", canonical({ account, at, box, sign }));
}

/** What is signed of the launch keys that a device publishes, `{device, sign, box, at}`. */
export function launchOctets(account, { device, sign, box, at }) {
  return join("safeum launch keys v1\0", canonical({ account, at, box, device, sign }));
}

/** Whether launch keys bear a signature of an account's keys (`PublicKeys`) that binds `now` (milliseconds). */
export function isBound(account, launch, keys, now) {
  if (!Number.isSafeInteger(launch.at) || launch.at < now - BOUND_FOR || launch.at > now + BOUND_AHEAD) return false;
  try {
    return isSigned(keys.sign, decode(launch.bound, SIGNATURE), launchOctets(account, launch));
  } catch {
    return false;
  }
}

function isWritable(box) {
  const value = box.reduceRight((all, octet) => all * 256n + BigInt(octet), 0n);
  return value < FIELD && agree(new Uint8Array(KEY), box) !== null;
}
