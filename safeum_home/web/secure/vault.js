/** A vault: what a program wants to know again when it starts, encrypted, at the node, in one piece. */

import { HASH, NONE } from "./envelope.js";
import { canonical, decode, encode, join, number, Reader, utf8 } from "./octets.js";
import { padded, unpadded } from "./padding.js";
import { malformed, Reason, Refused } from "./refused.js";
import { digest, fresh, NONCE, open as openSealed, seal as sealPlain, TAG } from "./sodium.js";
import { parse } from "./strict_json.js";
import { check } from "./vault_content.js";

export const BUCKETS = [12, 13, 14, 15, 16, 17, 18, 19, 20].map((each) => 2 ** each);
const MOST = 1 + NONCE + BUCKETS.at(-1) + TAG;
const KIND = 0x21;

function about(account, version) {
  return join("safeum vault v1\0", account, "\0", number(version));
}

/** The blob, base64url; throws `Refused`. */
export function seal(content, version, own, nonce = fresh(NONCE)) {
  const plain = padded(utf8(canonical(content)), BUCKETS);
  return encode(join(Uint8Array.of(KIND), nonce, sealPlain(plain, about(own.account, version), nonce, own.vault)));
}

/** What is in a blob, and its hash; throws `Refused`. */
export function open(data, version, own) {
  if (data.length > Math.ceil((MOST * 4) / 3) || !Number.isSafeInteger(version) || version < 1) throw malformed();
  const octets = decode(data);
  const reader = new Reader(octets);
  const [kind, nonce, sealed] = [reader.number(1), reader.take(NONCE), reader.rest()];
  if (kind !== KIND) throw malformed();
  const plain = openSealed(sealed, about(own.account, version), nonce, own.vault);
  if (plain === null) throw new Refused(Reason.UNDECRYPTABLE);
  return { content: check(parse(unpadded(plain, BUCKETS))), hash: encode(digest(octets, "safeum vault", HASH)) };
}

/**
 * Whether keys are those of an account, whose directory has some with the hash `known`: by that, or since they open its
 * vault, `{n, data}`. Where another passphrase was being taken, and that was interrupted, the vault is sealed for its
 * keys before the directory has them: whoever enters that one goes on with it.
 */
export function isOwn(own, known, { n, data }) {
  if (own.hash === known) return true;
  try {
    return n > 0 && Boolean(open(data, n, own));
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

/** Which version this program has had last: so an older one is seen, and one beside it. */
export class Vault {
  constructor(own) {
    this.own = own;
    this.version = 0;
    /** The `previous` of the content that is to be put next. */
    this.previous = NONE;
    this.expected = 0;
    /** The version that the next one takes the place of. */
    this.after = 0;
  }

  /** Seal, and open, with other keys from now on; those before. */
  rekey(own) {
    const before = this.own;
    this.own = own;
    return before;
  }

  /** Another program of this account has had that version (event `vault_newer`). */
  expect(version) {
    this.expected = Math.max(this.expected, version);
  }

  /** The node says that there is none; throws `Refused` where there was one. */
  none() {
    if (Math.max(this.version, this.expected)) throw new Refused(Reason.ROLLED_BACK);
  }

  /** What the node has: its content. Throws `Refused`. */
  take(version, data) {
    const { content, hash } = open(data, version, this.own);
    if (version < Math.max(this.version, this.expected)) throw new Refused(Reason.ROLLED_BACK);
    const aside = version === this.version + 1 && content.previous !== this.previous;
    if (this.version && (aside || (version === this.version && hash !== this.previous))) {
      throw new Refused(Reason.FORKED);
    }
    [this.version, this.previous, this.after] = [version, hash, version];
    return content;
  }

  /** What the node has, though it is older, or beside: its user was asked. Merge it, and put that. Throws `Refused`. */
  accept(version, data) {
    const { content, hash } = open(data, version, this.own);
    if (version > this.version) [this.version, this.previous] = [version, hash];
    this.after = version;
    return content;
  }

  /** The one that the node has, or 0 for none, is to be replaced unread: its user was asked. */
  instead(version) {
    this.after = version;
  }

  /** What is to be put: `{n, after, blob}`, beyond all versions that there were. `take` it once it is there. */
  put(content) {
    const version = Math.max(this.version, this.expected, this.after) + 1;
    return { n: version, after: this.after, blob: seal(content, version, this.own) };
  }
}
