/** A vault on its way to other keys: what is in it once these are in force. */

import { openKey, SEALED } from "./epoch.js";
import { decode, encode } from "./octets.js";
import { MOST_FORMER, Trust } from "./people.js";
import { Reason, Refused } from "./refused.js";

/**
 * What a vault of `own` is as one of `next`, which no chat was told of yet; `line` (`succession.name`) leads to these.
 * Verified is who was so. Throws `Refused` of a line that leads elsewhere.
 */
export function moved(content, own, next, line, now) {
  if (line.last.hash !== next.hash) throw new Refused(Reason.NO_KEYS);
  const [before, keys] = [own.public.texts(), next.public.texts()];
  const known = content.people[own.account]?.former ?? [];
  const others = known.filter((each) => each.sign !== before.sign || each.box !== before.box);
  const former = [...others, before].slice(-MOST_FORMER);
  const pinned = { keys, trust: Trust.CHANGED, since: now, judged: 0, offered: undefined, former };
  const chats = Object.entries(content.chats).map(([chat, memory]) => [chat, sealedTo(memory, own, next)]);
  return {
    ...content,
    people: { ...content.people, [own.account]: pinned },
    chats: Object.fromEntries(chats),
    own: { line: line.text, published: false, told: [], lost: content.own.lost },
  };
}

/** What is kept of a chat, with its epochs sealed to other keys; those that do not open are left out. */
export function sealedTo(memory, own, next) {
  return { ...memory, epochs: memory.epochs.flatMap((epoch) => resealed(epoch, own, next)) };
}

function resealed(epoch, own, next) {
  let key;
  try {
    key = openKey(decode(epoch.sealed, SEALED), epoch.commitment, own);
    return [{ ...epoch, sealed: encode(key.boxes([next.public.box])[0]) }];
  } catch (error) {
    if (error instanceof Refused) return [];
    throw error;
  } finally {
    key?.wipe();
  }
}
