/** Lists of members in an envelope: accounts in the order of their octets, each with the hash of its keys. */

import { ACCOUNT } from "./checks.js";
import { HASH } from "./envelope.js";
import { decode, join, number, text } from "./octets.js";
import { malformed, Reason, Refused } from "./refused.js";

export const MOST_MEMBERS = 200;
export const MAX_ACCOUNT = 283;

/** The list of a Map of accounts to hashes; `more` is what stands behind each. */
export function write(members, more = null) {
  if (members.size > MOST_MEMBERS) throw new Refused(Reason.TOO_MANY);
  const accounts = [...members.keys()].sort();
  const listed = accounts.map((each) => join(text(each), decode(members.get(each), HASH), more?.get(each) ?? ""));
  return join(number(accounts.length, 2), ...listed);
}

/** A Map of accounts, with hash and the `extra` octets behind it; throws `Refused`. */
export function read(reader, extra = 0) {
  const count = reader.number(2);
  if (count < 1 || count > MOST_MEMBERS) throw malformed();
  const found = new Map();
  let last = "";
  for (let at = 0; at < count; at += 1) {
    const account = reader.text(MAX_ACCOUNT);
    if (!ACCOUNT.test(account) || account <= last) throw malformed();
    found.set(account, { hash: reader.name(HASH), extra: reader.take(extra) });
    last = account;
  }
  return found;
}
