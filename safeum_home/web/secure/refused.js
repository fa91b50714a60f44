/** Why something of a secure chat is not taken, or not said: docs/secure-chats.md lists the reasons. */

export const Reason = Object.freeze({
  MALFORMED: "malformed",
  BAD_SIGNATURE: "bad_signature",
  UNDECRYPTABLE: "undecryptable",
  REPLAYED: "replayed",
  FORKED: "forked",
  NOT_A_MEMBER: "not_a_member",
  GHOST: "ghost",
  EXCLUDED: "excluded",
  BAD_EPOCH: "bad_epoch",
  STALE_EPOCH: "stale_epoch",
  OLD_KEYS: "old_keys",
  FORMER_KEYS: "former_keys",
  NO_EPOCH: "no_epoch",
  NO_KEYS: "no_keys",
  NOT_ITS_AUTHOR: "not_its_author",
  ROSTER_FORKED: "roster_forked",
  TOO_LARGE: "too_large",
  TOO_MANY: "too_many",
  WEAK_PASSPHRASE: "weak_passphrase",
  ROLLED_BACK: "rolled_back",
  DAMAGED: "damaged",
});

/** It is not taken. There is nothing in it of what was refused. */
export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * It can be told only once something else has come: `account` is whose keys are missing, where that is it; `told` are
 * events of what it has changed yet.
 */
export class Held extends Error {
  constructor(reason, account = "", told = []) {
    super(reason);
    Object.assign(this, { reason, account, told });
  }
}

export function malformed() {
  return new Refused(Reason.MALFORMED);
}
