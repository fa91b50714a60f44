/** How the keys of this account came to be in force, and which of its chats were told. */

import { check, merge } from "./own_memory.js";
import { MOST_FORMER } from "./people.js";
import { ofText } from "./succession.js";

/** In memory, as the vault keeps it. */
export class OwnLine {
  #people;
  #kept = check({});

  constructor(people) {
    this.#people = people;
    /** Null where the keys in force are the first ones, or follow on some without their word. */
    this.line = null;
  }

  /** For the vault. */
  get kept() {
    return merge(this.#kept, check({ lost: [...this.#people.lost].sort().slice(0, MOST_FORMER) }));
  }

  /** As the vault has it. A line that does not lead to the keys that were entered is none of theirs. */
  restore(kept, own) {
    for (const each of kept.lost) this.#people.lost.add(each);
    const line = kept.line ? ofText(kept.line) : null;
    if (line?.last.hash !== own.hash || !line.isSaid(own.account)) return;
    this.#kept = merge(this.#kept, kept);
    this.line = ofText(this.#kept.line);
  }

  /** Other keys are in force, at the directory; no chat was told. */
  begin(line) {
    this.line = line;
    this.#kept = check({ line: line.text, published: true });
  }

  /** The hash of the keys before, where the directory may have these in force yet; null otherwise. */
  get unpublished() {
    return this.line === null || this.#kept.published ? null : this.line.before.hash;
  }

  published() {
    if (this.line) this.#add({ published: true });
  }

  /** Whether a chat is to be told yet. */
  owes(chat) {
    return this.line !== null && !this.#kept.told.includes(chat);
  }

  told(chat) {
    if (this.line) this.#add({ told: [chat] });
  }

  #add(what) {
    this.#kept = merge(this.#kept, check({ line: this.#kept.line, ...what }));
  }
}
