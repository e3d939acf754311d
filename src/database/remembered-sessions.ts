import { copiedToken } from "./copied-token.ts";
import type { FoundSession } from "./database.ts";

/** About 25 MB; beyond that, the session that was added first is forgotten. */
const MOST_REMEMBERED = 50_000;

type Remembered = { readonly token: string; readonly found: FoundSession };

/** Remembers sessions by token, and forgets them one by one or by account. Tokens are only ever in memory. */
export function createRememberedSessions() {
  const byToken = new Map<string, FoundSession>();
  const byId = new Map<string, Remembered>();
  const idsOfAccount = new Map<string, string[]>();
  // Kept between calls: each time, a new iterator would have to step over all entries deleted before.
  let inOrder = byId.keys();

  function forgetSession(id: string): void {
    const remembered = byId.get(id);
    if (!remembered) return;
    byToken.delete(remembered.token);
    byId.delete(id);
    const { accountId } = remembered.found;
    const others = idsOfAccount.get(accountId)?.filter((other) => other !== id) ?? [];
    if (others.length > 0) idsOfAccount.set(accountId, others);
    else idsOfAccount.delete(accountId);
  }

  function forgetOldest(): void {
    let oldest = inOrder.next();
    if (oldest.done) {
      inOrder = byId.keys();
      oldest = inOrder.next();
    }
    if (!oldest.done) forgetSession(oldest.value);
  }

  return {
    get: (token: string) => byToken.get(token),
    add(presented: string, found: FoundSession): void {
      const { id, accountId } = found;
      const token = copiedToken(presented);
      // The session may still be here under the token that it had before it was renewed.
      forgetSession(id);
      if (byId.size >= MOST_REMEMBERED) forgetOldest();
      byToken.set(token, found);
      byId.set(id, { token, found });
      const others = idsOfAccount.get(accountId);
      if (others) others.push(id);
      else idsOfAccount.set(accountId, [id]);
    },
    /** Forgets the session with this id, or all sessions of the account with this id. */
    forget(id: string): void {
      forgetSession(id);
      for (const sessionId of idsOfAccount.get(id) ?? []) forgetSession(sessionId);
    },
    clear(): void {
      byToken.clear();
      byId.clear();
      idsOfAccount.clear();
    },
  };
}
