/** Envelopes that wait for something: for keys of their sender, their epoch, or the roster before. */

import { Reason } from "./refused.js";

const MOST_HELD = 200;
const MOST_OCTETS = 2 * 2 ** 20;
const PATIENCE = 60 * 1000;

export class Holding {
  constructor() {
    this.held = [];
  }

  get length() {
    return this.held.length;
  }

  /** Keep one; what had to go for it. */
  add(held) {
    this.held.push(held);
    const gone = [];
    const size = () => this.held.reduce((all, each) => all + each.envelope.octets.length, 0);
    while (this.held.length > MOST_HELD || size() > MOST_OCTETS) gone.push(this.held.shift());
    return gone;
  }

  /** All of them; those that still have to wait are added again. */
  take() {
    const { held } = this;
    this.held = [];
    return held;
  }

  /** Whether something of history waits for an epoch. */
  get lacksPast() {
    return this.held.some((each) => each.past && each.reason === Reason.NO_EPOCH);
  }

  /** Those that have waited for a minute, once. They wait on, but for rosters that will never be in force. */
  overdue(now) {
    const due = this.held.filter((each) => !each.warned && each.since + PATIENCE <= now);
    for (const each of due) each.warned = true;
    this.held = this.held.filter((each) => !each.warned || each.reason !== Reason.ROSTER_FORKED);
    return due;
  }
}
