/**
 * JSON in which all readers see the same (RFC 7493): no member twice, whole numbers, texts that are Unicode. Of two
 * members of a name some readers take the first, and some the last one: one text for some members of a chat, and
 * another one for others. How deep they read, and how long a number may be, differs as well.
 */

import { fromUtf8 } from "./octets.js";
import { malformed } from "./refused.js";

/** How many objects and lists may stand in each other. */
const DEEPEST = 32;
/** A fraction, an exponent, or more than 16 digits. */
const INEXACT = /[0-9](?:[.eE]|[0-9]{16})/;

/** What octets say; throws `Refused`. */
export function parse(octets) {
  try {
    const text = fromUtf8(octets);
    const value = JSON.parse(text);
    const bare = withoutStrings(text);
    if (bare.split(":").length - 1 === members(value, DEEPEST) && !INEXACT.test(bare)) return value;
  } catch {
    throw malformed();
  }
  throw malformed();
}

/** Of JSON: every other piece between its quotation marks, once those are gone that are escaped. */
function withoutStrings(text) {
  const pieces = text.replaceAll("\\\\", "").replaceAll('\\"', "").split('"');
  return pieces.filter((_, at) => at % 2 === 0).join("");
}

/** How many there are in objects, and in those within: of two of a name there is one. */
function members(value, depth) {
  if (typeof value === "string" && !value.isWellFormed()) throw malformed();
  if (value === null || typeof value !== "object") return 0;
  if (!depth) throw malformed();
  if (Array.isArray(value)) return value.reduce((all, each) => all + members(each, depth - 1), 0);
  const inner = Object.entries(value);
  return inner.reduce((all, [name, each]) => all + 1 + members(name, depth - 1) + members(each, depth - 1), 0);
}
