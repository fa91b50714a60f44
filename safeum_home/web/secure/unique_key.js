/** The unique key of an account: its private keys, which follow from a passphrase and are stored nowhere. */

import { encode, utf8 } from "./octets.js";
import { isStrong, octetsOf } from "./passphrase.js";
import { identityOctets, launchOctets, PublicKeys } from "./public_keys.js";
import { Reason, Refused } from "./refused.js";
import { digest, KEY, lib, publicOf, sign, signingOf, wipe } from "./sodium.js";

const PASSES = 3;
const MEMORY = 256 * 2 ** 20;
const PERSON = "safeum unique v1";

/** 16 octets that follow from an account. */
export function saltOf(account) {
  return digest(utf8(account), "safeum salt v1", 16);
}

export class UniqueKey {
  /** From the master key, which is wiped. */
  constructor(account, master) {
    const [signs, box, vault] = ["sign", "box", "vault"].map((name) => digest(utf8(name), PERSON, KEY, master));
    wipe(master);
    const pair = signingOf(signs);
    wipe(signs);
    this.account = account;
    this.signing = pair.privateKey;
    this.box = box;
    this.vault = vault;
    this.public = new PublicKeys(pair.publicKey, publicOf(box));
    this.hash = this.public.hash;
  }

  /**
   * From a passphrase, or words. Takes seconds, and 256 MiB: call it in a worker. `known` is the hash of keys that the
   * account has: what comes to these was taken once, and is not refused because it is estimated in another way now, or
   * elsewhere. Throws `Refused`.
   */
  static of(account, text, zxcvbn, known = null) {
    const octets = octetsOf(text, zxcvbn, known !== null);
    let key;
    try {
      const argon2id = lib().crypto_pwhash_ALG_ARGON2ID13;
      key = new UniqueKey(account, lib().crypto_pwhash(KEY, octets, saltOf(account), PASSES, MEMORY, argon2id));
    } finally {
      wipe(octets);
    }
    if (known === null || known === key.hash || isStrong(text, zxcvbn)) return key;
    key.wipe();
    throw new Refused(Reason.WEAK_PASSPHRASE);
  }

  /** What is published (`keys.publish`); `at` in milliseconds. */
  identity(at) {
    const { sign: signs, box } = this.public.texts();
    const signature = encode(sign(this.signing, identityOctets(this.account, signs, box, at)));
    return { sign: signs, box, at, signature };
  }

  /** `bound` of launch keys, `{device, sign, box, at}`: what binds those of this program to the account. */
  bound(launch) {
    return encode(sign(this.signing, launchOctets(this.account, launch)));
  }

  /** At close. */
  wipe() {
    wipe(this.signing, this.box, this.vault);
  }
}
