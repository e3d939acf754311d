import type { FoundSession } from "../database.ts";

/** About 30 MB; then the one that was read first goes. */
const MOST_REMEMBERED = 50_000;

/** Sessions by their tokens, to be forgotten one by one or by their account. Tokens are in memory only. */
export function createRememberedSessions() {
  const byToken = new Map<string, FoundSession>();
  const tokenOf = new Map<string, string>();
  const ofAccount = new Map<string, Set<string>>();

  function forgetSession(id: string): void {
    const token = tokenOf.get(id);
    const found = token === undefined ? undefined : byToken.get(token);
    if (token === undefined || !found) return;
    byToken.delete(token);
    tokenOf.delete(id);
    const others = ofAccount.get(found.accountId);
    others?.delete(id);
    if (others?.size === 0) ofAccount.delete(found.accountId);
  }

  return {
    get: (token: string) => byToken.get(token),
    add(token: string, found: FoundSession): void {
      if (byToken.size >= MOST_REMEMBERED) {
        const [oldest] = tokenOf.keys();
        if (oldest !== undefined) forgetSession(oldest);
      }
      byToken.set(token, found);
      tokenOf.set(found.id, token);
      const others = ofAccount.get(found.accountId);
      if (others) others.add(found.id);
      else ofAccount.set(found.accountId, new Set([found.id]));
    },
    forgetSession,
    forgetAccount(accountId: string): void {
      for (const id of ofAccount.get(accountId) ?? []) forgetSession(id);
    },
    clear(): void {
      byToken.clear();
      tokenOf.clear();
      ofAccount.clear();
    },
  };
}
