import { copiedToken } from "./copied-token.ts";
import type { FoundSession } from "./database.ts";

/** About 25 MB; past that, the session that was read first is forgotten. */
const MOST_REMEMBERED = 50_000;

type Remembered = { readonly token: string; readonly found: FoundSession };

/** Sessions by their tokens, which can be forgotten one by one or by account. Tokens are in memory only. */
export function createRememberedSessions() {
  const byToken = new Map<string, FoundSession>();
  const byId = new Map<string, Remembered>();
  const idsOfAccount = new Map<string, string[]>();
  // Kept between calls: a new iterator would step over everything that was deleted before, each time.
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
      // It may still be there under the token that it had before it was renewed.
      forgetSession(id);
      if (byId.size >= MOST_REMEMBERED) forgetOldest();
      byToken.set(token, found);
      byId.set(id, { token, found });
      const others = idsOfAccount.get(accountId);
      if (others) others.push(id);
      else idsOfAccount.set(accountId, [id]);
    },
    /** Forgets what has this id: a session, or an account's sessions. */
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
