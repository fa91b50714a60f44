/** What goes first where a vault is full: never keys, nor what shows that something comes again. */

import { newestStreams } from "./chat_memory.js";
import { canonical, utf8 } from "./octets.js";
import { MOST_SETTINGS } from "./vault_content.js";

/** Milliseconds for which it is known that a draft, or a setting, was dropped. */
const TRACE = 30 * 24 * 3600 * 1000;
const ROOM_FOR_DRAFTS = 192 * 1024;

const size = (value) => utf8(canonical(value)).length;
const isGone = (each) => (each.text === undefined ? each.value === null : !each.text && !each.reply);
const at = (each) => each.at;
const since = (each) => each.since;
const gone = () => null;
const bare = (memory) => ({ ...memory, epochs: [], former: [] });
const ofOneStream = (memory) => ({ ...memory, streams: mapped(memory.streams, (each) => newestStreams(each, 1)) });

/** As much of a content as has room in so many octets; `now` is in milliseconds. It may be more all the same. */
export function fitted(content, now, room) {
  let [drafts, settings] = [untraced(content.drafts, now), newest(untraced(content.settings, now))];
  [drafts] = reduced(drafts, at, gone, size(drafts) - ROOM_FOR_DRAFTS);
  let { chats } = content;
  let over = size({ ...content, drafts, settings }) - room;
  [drafts, over] = reduced(drafts, at, gone, over);
  [chats, over] = reduced(chats, since, bare, over);
  [chats, over] = reduced(chats, since, ofOneStream, over);
  [settings, over] = reduced(settings, at, gone, over);
  return { ...content, drafts, settings, chats };
}

function mapped(entries, made) {
  return Object.fromEntries(Object.entries(entries).map(([name, each]) => [name, made(each)]));
}

/** With the oldest ones made smaller, or left out for null, until `over` octets are saved; and what is not. */
function reduced(entries, age, smaller, over) {
  const left = { ...entries };
  const names = Object.keys(entries).sort((a, b) => (age(entries[a]) - age(entries[b])) || (a < b ? -1 : 1));
  let missing = over;
  for (const name of names) {
    if (missing <= 0) break;
    const after = smaller(entries[name]);
    missing -= size(entries[name]);
    if (after === null) {
      delete left[name];
      missing -= size(name) + 1;
    } else {
      left[name] = after;
      missing += size(after);
    }
  }
  return [left, missing];
}

function untraced(entries, now) {
  return Object.fromEntries(Object.entries(entries).filter(([, each]) => !isGone(each) || each.at >= now - TRACE));
}

/** Those that are there, and were set last. */
function newest(settings) {
  const order = ([a, one], [b, other]) => (isGone(one) - isGone(other)) || (other.at - one.at) || (a < b ? -1 : 1);
  return Object.fromEntries(Object.entries(settings).sort(order).slice(0, MOST_SETTINGS));
}
