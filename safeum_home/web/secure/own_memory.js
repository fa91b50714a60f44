/** What the vault keeps of the keys that its owner had before, and of who was told of those in force. */

import * as c from "./checks.js";
import { MOST_FORMER } from "./people.js";
import { ofText } from "./succession.js";

const MOST_CHATS = 10000;
const LINE = /^[A-Za-z0-9_-]*$/;
const MOST_LINE = 1879;

/** As it is used here; throws `Refused`. */
export function check(value) {
  const { line = "", published = false, told = [], lost = [] } = c.anObject(value);
  if (c.aText(line, { most: MOST_LINE, pattern: LINE })) ofText(line);
  return {
    line,
    published: c.truth(published),
    told: c.aList(told, (each) => c.named(each, c.CHAT), 0, MOST_CHATS),
    lost: c.aList(lost, c.aHash, 0, MOST_FORMER),
  };
}

/** Of two that follow on the same vault. Of two lines it is the longer one. */
export function merge(one, other) {
  const longer = one.line.length - other.line.length || (one.line < other.line ? -1 : 1);
  const { line } = longer > 0 ? one : other;
  const ofIt = [one, other].filter((each) => each.line === line);
  return {
    line,
    published: ofIt.some((each) => each.published),
    told: [...new Set(ofIt.flatMap((each) => each.told))].sort().slice(0, MOST_CHATS),
    lost: [...new Set([...one.lost, ...other.lost])].sort().slice(0, MOST_FORMER),
  };
}
