/** What two people compare to know that they have each other's keys: a number, or a picture to scan. */

import { HASH } from "./envelope.js";
import { MAX_ACCOUNT } from "./members.js";
import { decode, encode, join, Reader, text } from "./octets.js";
import { malformed, Reason, Refused } from "./refused.js";
import { digest } from "./sodium.js";

const SCHEME = "safeum:verify:1:";

/** 60 digits in twelve groups, of `{account, keys}` of both: the same, whichever is whose. */
export function safetyNumber(own, other) {
  return [own, other].map(half).sort().join(" ");
}

function half({ account, keys }) {
  const octets = digest(join(keys.sign, keys.box, account), "safeum number v1", 64);
  const groups = Array.from({ length: 6 }, (_, at) => (
    octets.subarray(5 * at, 5 * at + 5).reduce((all, octet) => all * 256 + octet, 0) % 100000
  ));
  return groups.map((group) => String(group).padStart(5, "0")).join(" ");
}

/** The hash of keys for people: eight groups of five hexadecimal digits, the first 160 bits. */
export function fingerprint(hash) {
  const digits = [...decode(hash, HASH)].map((octet) => octet.toString(16).padStart(2, "0")).join("").slice(0, 40);
  return digits.match(/.{5}/g).join(" ");
}

/** What the picture of `own` for `other` says: of both `{account, hash}`, as known here. */
export function scanText(own, other) {
  return SCHEME + encode(join(...[own, other].map((each) => join(text(each.account), decode(each.hash, HASH)))));
}

/** Whether what was scanned from the screen of `other` has the keys that are known here, of both. */
export function scanned(said, own, other) {
  if (!said.startsWith(SCHEME)) throw malformed();
  const reader = new Reader(decode(said.slice(SCHEME.length)));
  const [theirs, mine] = [0, 1].map(() => ({ account: reader.text(MAX_ACCOUNT), hash: reader.name(HASH) }));
  reader.end();
  if (theirs.account !== other.account || mine.account !== own.account) throw new Refused(Reason.NOT_A_MEMBER);
  return theirs.hash === other.hash && mine.hash === own.hash;
}
