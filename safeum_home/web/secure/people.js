/** Whose keys are known, and how well: what is pinned, verified, or has changed. */

import { Reason, Refused } from "./refused.js";

export const Trust = Object.freeze({
  UNKNOWN: "unknown", PINNED: "pinned", VERIFIED: "verified", CHANGED: "changed",
});
export const News = Object.freeze({ SAME: "same", FIRST: "first", CHANGED: "changed" });
export const MOST_FORMER = 8;
/** Milliseconds in which a directory may still have the keys before, as nodes keep answers of others. */
const LAG = 60 * 1000;

/** All accounts, for all chats of one account. The vault keeps it. */
export class People {
  constructor() {
    this.people = new Map();
    /** Another one with each change. */
    this.revision = 0;
    /** Hashes of keys that the owner of this program had, where nothing else is known of them any more. */
    this.lost = new Set();
  }

  get(account) {
    return this.people.get(account);
  }

  /** As the vault has it: `{keys, trust, since, judged, offered, former}`, of which the last two may be null and empty. */
  restore(account, person) {
    this.people.set(account, person);
    this.revision += 1;
  }

  trust(account) {
    return this.people.get(account)?.trust ?? Trust.UNKNOWN;
  }

  /** Keys of the directory, signed by themselves. Others than are in force are used once accepted. */
  told(account, keys, now) {
    this.revision += 1;
    const person = this.people.get(account);
    if (!person) {
      this.people.set(account, { keys, trust: Trust.PINNED, since: now, judged: 0, offered: null, former: [] });
      return News.FIRST;
    }
    if (keys.hash === person.keys.hash) {
      person.offered = null;
      return News.SAME;
    }
    const isOfBefore = now < person.since + LAG && person.former.some((each) => each.hash === keys.hash);
    if (isOfBefore || keys.hash === person.offered?.hash) return News.SAME;
    person.offered = keys;
    return News.CHANGED;
  }

  /** The keys that the owner of this program has entered; not where they have named others since. */
  own(account, keys, now) {
    if (this.people.get(account)?.former.some((each) => each.hash === keys.hash)) return;
    this.told(account, keys, now);
    if (this.people.get(account).offered) this.accept(account, keys.hash, now);
  }

  /** The owner of this program takes the keys that were offered; false where they are not these. */
  accept(account, hash, now) {
    const person = this.people.get(account);
    if (!person?.offered || person.offered.hash !== hash) return false;
    this.revision += 1;
    replace(person, person.offered, now);
    return true;
  }

  /**
   * Whether the last of keys that have named each other are in force, or follow on those that are; false of what was
   * in force once. Throws `Refused`: BAD_SIGNATURE where nobody knows any of them, OLD_KEYS where those that are known
   * have named others, or are to be in force again.
   */
  checkLine(account, line) {
    const { keys, former } = this.people.get(account);
    const last = line.at(-1).hash;
    const wasOne = ({ hash }) => former.some((each) => each.hash === hash);
    if (last === keys.hash) return true;
    if (wasOne(line.at(-1))) return false;
    const at = line.findIndex(({ hash }) => hash === keys.hash);
    if (at === -1 || line.slice(at + 1).some(wasOne)) {
      throw new Refused(line.some(wasOne) ? Reason.OLD_KEYS : Reason.BAD_SIGNATURE);
    }
    return true;
  }

  /** The last of a line that was checked are in force: those that were before; null where they are already. */
  follow(account, line, now) {
    const person = this.people.get(account);
    const at = line.findIndex(({ hash }) => hash === person.keys.hash);
    const before = at === line.length - 1 ? null : person.keys;
    this.revision += 1;
    if (before) for (const keys of line.slice(at + 1)) replace(person, keys, now);
    else {
      // Who has seen only the last ones learns of those before, with which history is signed.
      const known = new Set(person.former.map((each) => each.hash));
      person.former = [...line.slice(0, -1).filter((each) => !known.has(each.hash)), ...person.former].slice(-MOST_FORMER);
    }
    return before;
  }

  /** Whether the owner of this program, `account`, had keys with this hash before. */
  wasOwn(account, hash) {
    return this.lost.has(hash) || Boolean(this.people.get(account)?.former.some((each) => each.hash === hash));
  }

  /** Both have compared: the keys with this hash are theirs; false where others are in force. */
  verify(account, hash, now) {
    const person = this.people.get(account);
    if (person?.keys.hash !== hash) return false;
    Object.assign(person, { trust: Trust.VERIFIED, judged: now });
    return true;
  }

  /** They have compared, and it was not the same; or it is to be done anew. */
  doubt(account, now) {
    const person = this.people.get(account);
    if (person?.trust === Trust.VERIFIED) Object.assign(person, { trust: Trust.PINNED, judged: now });
  }
}

function replace(person, keys, now) {
  const former = [...person.former.filter((each) => each.hash !== keys.hash), person.keys].slice(-MOST_FORMER);
  Object.assign(person, { keys, former, offered: null, trust: Trust.CHANGED, since: now });
}
