/** What an authenticator app is told. */
export type Begun = { secret: string; uri: string };

type Kept = Begun & { accountId: string; until: number };

const KEPT = "latchkey:two-factor";
/** As long as the proof before it holds; ms. */
const LASTS = 600_000;

/**
 * Keeps a secret in this tab while it is being scanned: a phone may load the page again while the person is in the
 * authenticator app, which would keep an entry that never works if the page then began with another secret.
 */
export function keepBegun(accountId: string, { secret, uri }: Begun): void {
  const kept: Kept = { secret, uri, accountId, until: Date.now() + LASTS };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

export function forgetBegun(): void {
  sessionStorage.removeItem(KEPT);
}

/** What this account has begun in this tab; null where it is too long ago, or another account's. */
export function findBegun(accountId: string): Begun | null {
  const kept: Kept | null = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (kept?.accountId === accountId && Date.now() < kept.until) return kept;
  forgetBegun();
  return null;
}
