/** Whose keys are known, and how well: what is pinned, verified, or has changed. */

export const Trust = Object.freeze({
  UNKNOWN: "unknown", PINNED: "pinned", VERIFIED: "verified", CHANGED: "changed",
});
export const News = Object.freeze({ SAME: "same", FIRST: "first", CHANGED: "changed" });
export const MOST_FORMER = 8;

/** All accounts, for all chats of one account. The vault keeps it. */
export class People {
  constructor() {
    this.people = new Map();
    /** Another one with each change. */
    this.revision = 0;
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
    if (keys.hash === person.offered?.hash) return News.SAME;
    person.offered = keys;
    return News.CHANGED;
  }

  /** The keys that the owner of this program has entered. */
  own(account, keys, now) {
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

  /** The keys in force, with the hash `before`, have named these as their followers. */
  succeed(account, before, keys, now) {
    const person = this.people.get(account);
    if (person?.keys.hash !== before) return false;
    this.revision += 1;
    replace(person, keys, now);
    return true;
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
