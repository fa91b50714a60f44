/** Taking envelopes: who has signed them, whether they follow, whether they may, and what is in them. */

import * as envelopes from "./envelope.js";
import * as epochs from "./epoch.js";
import { GRACE } from "./epochs.js";
import { Holding } from "./holding.js";
import * as messages from "./message.js";
import { Reader } from "./octets.js";
import * as payloads from "./payloads.js";
import { Trust } from "./people.js";
import { Held, malformed, Reason, Refused } from "./refused.js";
import * as rosters from "./roster.js";
import { signerOf } from "./signers.js";
import { AGAIN, LATE } from "./streams.js";
import * as succession from "./succession.js";

const MOST_AUTHORS = 20000;
const { Kind, NONE } = envelopes;

/** Takes what a node tells of a chat. `ownStream` is that of this program, which need not come back. */
export class Taker {
  constructor(room, watching) {
    this.room = room;
    this.watching = watching;
    this.holding = new Holding();
    this.authors = new Map();
    this.ownStream = "";
    /** Rosters that this program has signed and that have not come back: their heads, by their hash. */
    this.ownRosters = new Map();
    /** Of accounts, the hash of the keys that were told here as the followers of others. */
    this.followed = new Map();
  }

  /** An envelope that has come: events. */
  take(told, past) {
    let envelope;
    try {
      envelope = envelopes.read(told.data);
      if (envelope.head.quiet !== Boolean(told.quiet)) throw malformed();
    } catch (error) {
      return [refusal(error, told)];
    }
    const held = {
      told, envelope, past, reason: Reason.NO_KEYS, since: this.room.now(), noted: false, late: false, known: false,
    };
    const events = this.#try(held, true);
    return envelope.head.kind === Kind.MESSAGE ? events : [...events, ...this.again()];
  }

  /** Something has come that others may have waited for. */
  again() {
    const events = [];
    for (let held = this.holding.take(); held.length; held = this.holding.take()) {
      for (const each of held) events.push(...this.#try(each, false));
      if (this.holding.length >= held.length) break;
    }
    return events;
  }

  /** Whether something of history waits for an epoch. */
  get lacksPast() {
    return this.holding.lacksPast;
  }

  /** That something waits in vain, so far. */
  overdue() {
    return this.holding.overdue(this.room.now()).map((each) => refusalOf(each.reason, each.told));
  }

  /** This program has said something. */
  wrote(hash, account) {
    this.#remember(hash, account, "");
  }

  #try(held, first) {
    const { told } = held;
    const events = [];
    try {
      const keys = signerOf(this.room, held);
      if (!held.noted) {
        const noted = this.#note(held);
        if (noted === null) return events;
        Object.assign(held, { noted: true, late: noted.verdict === LATE, known: noted.verdict === AGAIN });
        // Who is out lacks what is said meanwhile, up to the roster that has him in again.
        if (noted.gap && !this.room.roster.isOut) events.push({ is: "gap", account: told.sender, count: noted.gap });
      }
      events.push(...this.#read(held, keys));
    } catch (error) {
      if (!(error instanceof Held)) {
        const isFormer = error.reason === Reason.FORMER_KEYS && held.envelope.head.quiet;
        return isFormer ? events : [...events, refusal(error, told)];
      }
      held.reason = error.reason;
      held.known ||= error.reason === Reason.ROSTER_FORKED;
      events.push(...error.told);
      for (const gone of this.holding.add(held)) {
        events.push(refusalOf(Reason.TOO_MANY, gone.told));
      }
      if (error.account && first) events.push({ is: "keys_needed", accounts: [error.account] });
    }
    return events;
  }

  /** Null of what is there already, and came so; throws `Refused`. */
  #note({ told, envelope, past }) {
    const noted = this.room.streams.note(envelope.head, told.sender, envelope.hash, !past);
    const known = this.authors.get(envelope.hash)?.id ?? "";
    const again = noted.verdict === AGAIN && !past;
    if (again && !["", told.id].includes(known)) throw new Refused(Reason.REPLAYED);
    this.#remember(envelope.hash, told.sender, told.id);
    return again && !this.ownRosters.has(envelope.hash) ? null : noted;
  }

  #remember(hash, account, id) {
    this.authors.set(hash, { account, id });
    if (this.authors.size > MOST_AUTHORS) this.authors.delete(this.authors.keys().next().value);
  }

  #read(held, keys) {
    switch (held.envelope.head.kind) {
      case Kind.MESSAGE: return this.#message(held, keys);
      case Kind.EPOCH: return this.#epoch(held, keys);
      case Kind.ROSTER: return this.#roster(held, keys);
      default: return this.#succession(held);
    }
  }

  #message({ told, envelope, past, late }, keys) {
    const { room } = this;
    const { sender } = told;
    const sealed = messages.read(envelope);
    const known = room.epochs.get(sealed.epoch);
    if (!known) throw new Held(Reason.NO_EPOCH);
    if (known.hashes && known.hashes.get(sender) !== keys.hash) throw new Refused(Reason.NOT_A_MEMBER);
    if (!past) this.#checkNow(known, sender, keys);
    const key = room.epochs.key(known).ofSender(sender, keys.hash);
    const inner = messages.open(envelope, sealed, room.place(sender), key);
    const payload = payloads.decode(inner.payload);
    this.#checkAuthor(payload, sender);
    if (!past) known.count += 1;
    const events = [{ is: "received", sender, hash: envelope.hash, id: told.id, at: inner.at, payload, past, late }];
    if (sender === room.own.account && inner.vault > room.vaultVersion()) {
      events.push({ is: "vault_newer", version: inner.vault });
    }
    return past ? events : [...events, ...this.watching.heard(sender, inner, this.ownStream, room.now())];
  }

  /** Something may be said in an epoch yet, by this one; throws `Refused`. */
  #checkNow(known, sender, keys) {
    const { room } = this;
    if (known.stale !== null && room.now() > known.stale + GRACE) throw new Refused(Reason.STALE_EPOCH);
    // Of one from history, or the vault, it is not known who was a member of what then.
    if (!known.good && room.inForce().get(sender) !== keys.hash) throw new Refused(Reason.NOT_A_MEMBER);
  }

  #checkAuthor(payload, sender) {
    const changed = { edit: [payload.message], deletion: payload.messages }[payload.kind] ?? [];
    if (changed.some((each) => (this.authors.get(each)?.account ?? sender) !== sender)) {
      throw new Refused(Reason.NOT_ITS_AUTHOR);
    }
  }

  #epoch({ told, envelope, past }, keys) {
    const { room } = this;
    const epoch = epochs.read(envelope);
    if (past && room.epochs.get(envelope.hash)) return [];
    if (epoch.hashes.get(told.sender) !== keys.hash) throw new Refused(Reason.NOT_A_MEMBER);
    const inForce = past ? null : room.inForce();
    if (inForce) {
      if (this.#hasGhosts(epoch)) throw new Refused(Reason.GHOST);
      if (room.epochs.isLate(epoch, inForce, room.now())) throw new Refused(Reason.STALE_EPOCH);
    }
    room.epochs.add(envelope.hash, epoch, room.open(epoch), inForce);
    return [];
  }

  /** Whether somebody is in it, or keys are, that nobody has vouched for; throws `Held`. */
  #hasGhosts(epoch) {
    const { own, peer, people, roster } = this.room;
    if (peer === null) {
      const vouched = roster.at(epoch.roster);
      return [...epoch.hashes].some(([account, hash]) => vouched.get(account) !== roster.now(account, hash));
    }
    const person = people.get(peer);
    const known = person ? [person.keys, ...person.former].map((keys) => keys.hash) : [];
    return [...epoch.hashes].some(([account, hash]) => (
      account !== own.account && (account !== peer || !known.includes(hash))
    ));
  }

  #roster({ told, envelope, past, known }, keys) {
    const { room } = this;
    const statement = rosters.read(envelope);
    if (room.peer !== null) throw new Refused(Reason.NOT_A_MEMBER);
    const own = this.ownRosters.delete(envelope.hash);
    const wasOut = room.roster.isOut;
    let followed;
    try {
      followed = room.roster.follow(statement, envelope.hash, told.sender, keys.hash, past, known && !own);
    } catch (error) {
      const leaves = room.roster.head === NONE && !statement.members.has(told.sender);
      if (past || leaves) return []; // it is of before what is in force, or of who leaves before anybody has vouched
      throw error;
    }
    const { change, inForce } = followed;
    if (wasOut && room.roster.isIn) room.streams.letInAgain(room.now(), envelope.head.stream);
    room.changed();
    const events = inForce || change.removed.length ? [{ is: "roster_changed", by: told.sender, change }] : [];
    if (own && !inForce) events.push({ is: "overtaken" });
    // Its signer will sign anew, where it was meant well; who has not done so in a minute is told of.
    else if (!inForce && !past && room.roster.adds(statement)) throw new Held(Reason.ROSTER_FORKED, "", events);
    return events;
  }

  #succession({ told: { sender: account }, envelope, past }) {
    const { room } = this;
    const line = succession.take(new Reader(envelope.content));
    const isNews = room.people.checkLine(account, line.keys);
    const before = isNews ? room.people.follow(account, line.keys, room.now()) : null;
    const after = line.last.hash;
    const told = this.followed.get(account) === after || after === room.own.hash;
    room.succeed(account, line.keys);
    // Those before keys that were seen first, or compared since, are nothing that has changed.
    const elsewhere = isNews && room.people.trust(account) === Trust.CHANGED;
    if (!before && (!elsewhere || past || told)) return [];
    this.followed.set(account, after);
    return [{ is: "keys_changed", account, before: (before ?? line.before).hash, after, vouched: true }];
  }
}

/** Whether an envelope says that it names other keys. */
export function isSuccession(told) {
  try {
    return envelopes.read(told.data).head.kind === Kind.SUCCESSION;
  } catch {
    return false;
  }
}

function refusalOf(reason, told) {
  return { is: "refusal", reason, sender: told.sender, id: told.id };
}

function refusal(error, told) {
  if (error instanceof Refused) return refusalOf(error.reason, told);
  throw error;
}
