/** Who is in a group, by the word of its members. */

import { HASH, NONE } from "./envelope.js";
import * as listed from "./members.js";
import { decode, join, number, Reader } from "./octets.js";
import { Held, Reason, Refused } from "./refused.js";

export const MOST_KEPT = 32;
export const MOST_SUCCESSORS = 1024;

/** The content of an envelope; `members` is a Map of accounts to hashes. */
export function make(at, previous, members) {
  return join(number(at), decode(previous, HASH), listed.write(members));
}

/** Throws `Refused`. */
export function read(envelope) {
  const reader = new Reader(envelope.content);
  const [at, previous] = [reader.number(), reader.name(HASH)];
  const members = new Map([...listed.read(reader)].map(([account, each]) => [account, each.hash]));
  reader.end();
  return { at, previous, members };
}

/** The roster in force, as far as this account has heard of it. */
export class Roster {
  constructor(own) {
    this.own = own;
    this.head = NONE;
    this.made = 0;
    /** Another one with each change. */
    this.revision = 0;
    this.members = new Map();
    this.former = new Map();
    this.successors = new Map();
  }

  /** As it was in the vault; `before` as `formerOnes` gives it. */
  restore(head, made, members, before = []) {
    this.#set(head, made, new Map(members));
    for (const [each, listed] of [...before].reverse()) { // the one in force comes last, as it is kept for longest
      this.former.delete(each);
      this.former.set(each, new Map(listed));
    }
  }

  /** The one in force and those before, the newest first, as they were signed, with the keys of now. */
  formerOnes() {
    return [...this.former].reverse().map(([head, members]) => [head, this.#current(members)]);
  }

  /** Keys that have named their followers: the account, and the hashes of both. */
  successorsOf() {
    return [...this.successors].map(([name, after]) => [...name.split("\0"), after]);
  }

  get isIn() {
    return this.members.has(this.own);
  }

  /** Whether a member has signed that this account is in it no more. */
  get isOut() {
    return this.head !== NONE && !this.isIn;
  }

  /** The members of a roster, with their keys now; throws `Held` for one that has not been heard of. */
  at(head) {
    if (!this.former.has(head)) throw new Held(Reason.NO_EPOCH);
    return this.#current(this.former.get(head));
  }

  /** A roster signed by `signer` with keys of this hash: `{change, inForce}`. Throws `Refused`. */
  follow(statement, head, signer, hash, past = false, known = false) {
    const members = this.#current(statement.members);
    const vouched = this.head === NONE ? members : this.members;
    const strange = vouched.get(signer) !== this.now(signer, hash);
    if (strange || (!this.isIn && !members.has(this.own))) throw new Refused(Reason.NOT_A_MEMBER);
    // In the past may be one that was never in force: there each has to follow on the one before.
    const further = this.#isFurther(statement) && !(past && this.head !== NONE);
    if (statement.previous !== this.head && !further) {
      // Of what is known already the removals count no more: who was removed may have come back since.
      return { change: known ? compare(new Map(), new Map()) : this.#strike(statement.previous, members), inForce: false };
    }
    // Whom another one has removed is not back by a list that knew nothing of that.
    const before = this.former.get(statement.previous) ?? new Map();
    for (const account of before.keys()) if (!this.members.has(account)) members.delete(account);
    const change = compare(this.members, members);
    this.#set(head, statement.at, members);
    return { change, inForce: true };
  }

  /**
   * Whether one beside the one in force has somebody in, or keys, that neither that nor the one before has: where it
   * does not, as where two sign the same list at once, it makes no difference.
   */
  adds({ previous, members }) {
    const before = this.#current(this.former.get(previous) ?? new Map());
    return [...this.#current(members)].some(([account, hash]) => (
      before.get(account) !== hash && this.members.get(account) !== hash
    ));
  }

  /** Whether those between it and the one in force have not come: a whole list needs none of them. */
  #isFurther({ at, previous }) {
    return !this.former.has(previous) && previous !== NONE && at >= this.made;
  }

  /** Remove whom a roster beside the one in force removes. */
  #strike(previous, members) {
    const before = this.former.get(previous) ?? new Map();
    const removed = [...before.keys()].filter((each) => !members.has(each) && this.members.has(each)).sort();
    this.members = new Map([...this.members].filter(([account]) => !removed.includes(account)));
    this.revision += 1;
    return { added: [], removed, rekeyed: [] };
  }

  /** Keys were followed by others, as they have said themselves. */
  succeed(account, before, after) {
    const name = `${account}\0${before}`;
    if (!this.successors.has(name)) this.successors.set(name, after);
    if (this.successors.size > MOST_SUCCESSORS) this.successors.delete(this.successors.keys().next().value);
    this.revision += 1;
    if (this.members.get(account) === before) this.members.set(account, this.now(account, after));
  }

  /** The hash of an account's keys now, where those with this one have named their followers. */
  now(account, hash) {
    let last = hash;
    for (let at = 0; at < this.successors.size; at += 1) {
      const after = this.successors.get(`${account}\0${last}`);
      if (after === undefined) break;
      last = after;
    }
    return last;
  }

  #current(members) {
    return new Map([...members].map(([account, hash]) => [account, this.now(account, hash)]));
  }

  #set(head, made, members) {
    [this.head, this.made, this.members] = [head, made, members];
    this.revision += 1;
    this.former.delete(head);
    this.former.set(head, new Map(members));
    if (this.former.size > MOST_KEPT) this.former.delete(this.former.keys().next().value);
  }
}

/** What is different: accounts, in their order. */
export function compare(before, after) {
  return {
    added: [...after.keys()].filter((each) => !before.has(each)).sort(),
    removed: [...before.keys()].filter((each) => !after.has(each)).sort(),
    rekeyed: [...after.keys()].filter((each) => before.has(each) && before.get(each) !== after.get(each)).sort(),
  };
}
