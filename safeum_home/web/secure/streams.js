/** What has come of whom: gaps, replays and forks in the streams of envelopes of a chat. */

import { began, HASH, NONE, STREAM } from "./envelope.js";
import { HALF, MOST_SEEN } from "./message.js";
import { compare, decode, encode } from "./octets.js";
import { Reason, Refused } from "./refused.js";

export const WINDOW = 2048;
export const MOST_MISSING = 1024;
export const MOST_NAMED = 256;
export const PER_ACCOUNT = 8;

export const NEW = "new";
export const LATE = "late";
export const AGAIN = "again";

/** The first half of a hash. */
export function half(hash) {
  return encode(decode(hash, HASH).subarray(0, HALF));
}

/** Streams in the order in which they began. */
export function inOrder(streams) {
  return [...streams].sort((one, other) => compare(decode(one, STREAM), decode(other, STREAM)));
}

/** One stream. `head` is the highest number that has come, or that the vault knows. */
export class Stream {
  constructor(account, head = 0, hash = NONE) {
    this.account = account;
    this.head = head;
    this.hash = hash;
    this.known = new Map([[head, hash]]);
    this.come = new Set();
    /** The vault knows of this number, and of all before. */
    this.inVault = 0;
    this.missing = new Set();
  }

  /** An envelope that its sender has signed: `{verdict, gap}`, which counts. Throws `Refused`. */
  note(head, hash, live) {
    const { number, previous } = head;
    if (this.#differs(number, hash) || this.#differs(number - 1, previous)) throw new Refused(Reason.FORKED);
    if (this.come.has(number)) return { verdict: AGAIN, gap: 0 };
    let verdict = NEW;
    let gap = 0;
    if (live && number > this.head) {
      gap = number - this.head - 1;
      for (let each = Math.max(this.head + 1, number - MOST_MISSING); each < number; each += 1) this.missing.add(each);
    } else if (live) {
      if (!this.missing.has(number)) throw new Refused(Reason.REPLAYED);
      verdict = LATE;
    } else if (number <= this.inVault) verdict = AGAIN;
    this.#keep(number, hash, previous);
    return { verdict, gap };
  }

  /** Whether somebody has seen another envelope of this number. */
  differs(number, seen) {
    return this.known.has(number) && half(this.known.get(number)) !== seen;
  }

  #differs(number, hash) {
    return this.known.has(number) && this.known.get(number) !== hash;
  }

  #keep(number, hash, previous) {
    this.come.add(number);
    this.missing.delete(number);
    this.known.set(number, hash).set(number - 1, previous);
    if (number > this.head) [this.head, this.hash] = [number, hash];
    if (this.known.size > 2 * WINDOW) {
      this.known = new Map([...this.known].filter(([each]) => each > this.head - WINDOW));
      this.come = new Set([...this.come].filter((each) => each > this.head - WINDOW));
    }
  }
}

/** All streams of a chat. `since` is when this account came to know the chat, in milliseconds. */
export class Streams {
  constructor(since) {
    this.since = since;
    /** When this account was let in again, where it was out. */
    this.back = 0;
    /** Of streams of before, of which nothing has come since: how far they were when told of first. */
    this.named = new Map();
    /** Streams of before, of which nothing has come since: what is missing in them was said meanwhile. */
    this.unheard = new Set();
    this.streams = new Map();
    this.floors = new Map();
    this.moved = new Set();
    /** Own streams of which a node did not take all: the last number that it took, and its hash. */
    this.ends = new Map();
  }

  /** All that was said before `since` is known: of what began later the first ones have to come. */
  knowsSince(since) {
    this.since = Math.min(this.since, since);
  }

  /** This account was out: each stream, but for `by`, has yet to show where it is now. */
  letInAgain(now, by) {
    this.back = now;
    this.named.clear();
    this.unheard = new Set(this.streams.keys());
    this.unheard.delete(by);
  }

  /** As they were in the vault: `heads` are `[stream, number, hash]`. What has come since is further. */
  restore(account, floor, heads) {
    this.floors.set(account, Math.max(floor, this.floors.get(account) ?? 0));
    for (const [stream, number, hash] of heads) {
      const known = this.streams.get(stream);
      if (!known) {
        const restored = new Stream(account, number, hash);
        restored.inVault = number;
        this.streams.set(stream, restored);
      } else if (known.head < number) [known.head, known.hash] = [number, hash];
    }
  }

  /** An envelope that `account` has signed; throws `Refused`. */
  note(head, account, hash, live) {
    const stream = this.streams.get(head.stream) ?? this.#begin(head, account, live);
    if (stream.account !== account) throw new Refused(Reason.FORKED);
    const noted = stream.note(head, hash, live);
    if (!this.streams.has(head.stream)) {
      this.streams.set(head.stream, stream);
      this.#trim(account);
    }
    if (noted.verdict === NEW && live) {
      if (this.unheard.delete(head.stream)) noted.gap = 0;
      this.moved.delete(head.stream);
      this.moved.add(head.stream);
    }
    return noted;
  }

  #begin(head, account, live) {
    const start = began(head.stream);
    if (live && start <= (this.floors.get(account) ?? -1)) throw new Refused(Reason.REPLAYED);
    // What was said before this account knew the chat, or while it was out, is no gap.
    const heard = live && this.#isOfBefore(head.stream);
    return heard ? new Stream(account, head.number - 1, head.previous) : new Stream(account);
  }

  /** Whether it has begun before this account was in, and nothing of it has come since. */
  #isOfBefore(stream) {
    if (this.streams.has(stream)) return this.unheard.has(stream);
    return began(stream) < Math.max(this.since, this.back);
  }

  #trim(account) {
    const own = inOrder([...this.streams.keys()].filter((stream) => this.streams.get(stream).account === account));
    for (const stream of own.slice(0, Math.max(0, own.length - PER_ACCOUNT))) {
      this.streams.delete(stream);
      this.moved.delete(stream);
      this.ends.delete(stream);
      this.unheard.delete(stream);
      this.floors.set(account, Math.max(this.floors.get(account) ?? 0, began(stream)));
    }
  }

  get(stream) {
    return this.streams.get(stream);
  }

  /**
   * A stream that others have no more of. All before that, and of others, is to be said once more to have been seen:
   * nobody has heard what was said of it meanwhile.
   */
  endBefore({ stream, number, previous }) {
    const known = this.ends.get(stream)?.number ?? number;
    if (number - 1 <= known && this.streams.has(stream)) this.ends.set(stream, { number: number - 1, hash: previous });
    this.moved = new Set([...[...this.streams.keys()].filter((each) => !this.moved.has(each)), ...this.moved]);
    if (this.moved.delete(stream)) this.moved.add(stream);
  }

  /**
   * How many up to one that somebody has seen should have come, and have not: 0 or less where none. Of a stream of
   * before, whatever was there when it is named first was said before this account was in.
   */
  misses({ stream, number }) {
    let head = this.streams.get(stream)?.head ?? 0;
    if (this.#isOfBefore(stream)) {
      if (!this.named.has(stream)) this.named.set(stream, number);
      head = Math.max(head, this.named.get(stream));
      if (this.named.size > MOST_NAMED) this.named.delete(this.named.keys().next().value);
    }
    return number - head;
  }

  /** What this account has seen since it has said something: at most 8, the newest, and not `own`. */
  seen(own) {
    const moved = [...this.moved].filter((stream) => stream !== own).slice(-MOST_SEEN);
    this.moved.clear();
    return moved.flatMap((stream) => {
      const { head, hash } = this.streams.get(stream);
      const end = this.ends.get(stream) ?? { number: head, hash };
      return end.number ? [{ stream, number: end.number, half: half(end.hash) }] : [];
    });
  }

  /** For the vault: `[account, floor, heads]`. */
  heads() {
    const accounts = new Set([...[...this.streams.values()].map((each) => each.account), ...this.floors.keys()]);
    return [...accounts].sort().map((account) => {
      const own = [...this.streams].filter(([, each]) => each.account === account && each.head);
      const heads = own.map(([stream, each]) => [stream, each.head, each.hash]);
      return [account, this.floors.get(account) ?? 0, heads];
    });
  }
}
