/** Who is in a group, by the word of its members. */

import { HASH, NONE } from "./envelope.js";
import * as listed from "./members.js";
import { compare as order, decode, join, number, Reader } from "./octets.js";
import { Held, Reason, Refused } from "./refused.js";

const MOST_KEPT = 32;

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
    this.parent = NONE;
    this.members = new Map();
    this.former = new Map();
    this.successors = new Map();
  }

  restore(head, made, members) {
    this.#set(head, NONE, made, new Map(members));
  }

  get isIn() {
    return this.members.has(this.own);
  }

  /** The members of a roster, with their keys now; throws `Held` for one that has not been heard of. */
  at(head) {
    if (!this.former.has(head)) throw new Held(Reason.NO_EPOCH);
    return this.#current(this.former.get(head));
  }

  /** A roster signed by `signer` with keys of this hash: what it changes. Throws `Held`, `Refused`. */
  follow(statement, head, signer, hash) {
    const members = this.#current(statement.members);
    if (!this.isIn) return this.#enter(members, statement.at, head, signer, hash);
    if (![this.head, this.parent].includes(statement.previous) || statement.previous === NONE) {
      const known = this.former.has(statement.previous) || statement.previous === NONE;
      throw known ? new Refused(Reason.ROSTER_FORKED) : new Held(Reason.NO_EPOCH);
    }
    if (this.at(statement.previous).get(signer) !== this.now(signer, hash)) throw new Refused(Reason.NOT_A_MEMBER);
    if (statement.previous !== this.head && order(decode(head), decode(this.head)) >= 0) {
      throw new Refused(Reason.ROSTER_FORKED);
    }
    const change = compare(this.members, members);
    this.#set(head, statement.previous, statement.at, members);
    return change;
  }

  #enter(members, made, head, signer, hash) {
    const vouches = members.has(this.own) && members.get(signer) === this.now(signer, hash);
    if (!vouches || (this.head !== NONE && !this.members.has(signer))) throw new Refused(Reason.NOT_A_MEMBER);
    this.#set(head, NONE, made, members);
    return { added: [...members.keys()].sort(), removed: [], rekeyed: [] };
  }

  /** Keys were followed by others, as they have said themselves. */
  succeed(account, before, after) {
    this.successors.set(`${account}\0${before}`, after);
    if (this.members.get(account) === before) this.members.set(account, after);
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

  #set(head, parent, made, members) {
    [this.head, this.parent, this.made, this.members] = [head, parent, made, members];
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
