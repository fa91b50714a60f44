/** What members tell of what they have seen: by that a cut is seen, which leaves no gap behind. */

import { half } from "./streams.js";

const PATIENCE = 60 * 1000;
const UNSEEN = 5 * 60 * 1000;
const MOST_OWED = 256;
const MOST_SENT = 256;

export class Watching {
  constructor(streams) {
    this.streams = streams;
    this.owed = new Map();
    this.sent = [];
    this.reported = new Map();
    this.warned = new Map();
  }

  /** This program has said something. */
  said(stream, number, at) {
    this.sent.push({ stream, number, at });
    if (this.sent.length > MOST_SENT) this.sent.shift();
  }

  /** `by` has said something, and what it had seen; `own` is the stream of this program. Events. */
  heard(by, inner, own, now) {
    const events = [];
    for (const seen of inner.seen) {
      const stream = this.streams.get(seen.stream);
      if (stream?.differs(seen.number, seen.half)) events.push({ is: "forked", by, account: stream.account });
      else if (seen.stream === own) this.#report(by, own, seen.number);
      else if (this.streams.misses(seen) > 0) this.#owe(seen, by, now);
    }
    return [...events, ...this.#unseen(by, inner.at, own)];
  }

  #report(by, stream, number) {
    const known = this.reported.get(by);
    if (known?.stream !== stream || known.number < number) this.reported.set(by, { stream, number });
  }

  #owe(seen, by, now) {
    const owed = this.owed.get(seen.stream);
    if (!owed && this.owed.size < MOST_OWED) this.owed.set(seen.stream, { seen, by, since: now });
    else if (owed && owed.seen.number < seen.number) Object.assign(owed, { seen, by });
  }

  #unseen(by, at, own) {
    const reported = this.reported.get(by);
    const known = reported?.stream === own ? reported.number : 0;
    const due = this.sent.filter((each) => each.stream === own && each.number > known && each.at + UNSEEN < at);
    const last = Math.max(0, ...due.map((each) => each.number));
    const warned = this.warned.get(by);
    if (!due.length || (warned?.stream === own && warned.number >= last)) return [];
    this.warned.set(by, { stream: own, number: last });
    return [{ is: "unseen", by, count: due.length }];
  }

  /** What others have seen, and has not come here within a minute; told once. */
  overdue(now) {
    const events = [];
    for (const [name, { seen, by, since }] of [...this.owed]) {
      const stream = this.streams.get(name);
      const count = this.streams.misses(seen);
      if (count <= 0) {
        this.owed.delete(name);
        const other = stream?.head === seen.number && half(stream.hash) !== seen.half;
        if (other) events.push({ is: "forked", by, account: stream.account });
      } else if (since + PATIENCE <= now) {
        this.owed.delete(name);
        events.push({ is: "missing", by, account: stream?.account ?? null, count });
      }
    }
    return events;
  }
}
