/** The secret for the authenticator app, as text and as an otpauth URI. */
export type Begun = { secret: string; uri: string };

type Kept = Begun & { accountId: string; until: number };

const KEPT = "latchkey:two-factor";
/** In ms; as long as the proof that was given before. */
const LASTS = 600_000;

/**
 * Keeps a secret in this tab while it is being scanned. A phone may reload the page while the person is in
 * the authenticator app; with a new secret, the app's entry would never work.
 */
export function keepBegun(accountId: string, { secret, uri }: Begun): void {
  const kept: Kept = { secret, uri, accountId, until: Date.now() + LASTS };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
}

export function forgetBegun(): void {
  sessionStorage.removeItem(KEPT);
}

/** The secret that this account has begun to set up in this tab; null if too old or another account's. */
export function findBegun(accountId: string): Begun | null {
  const kept: Kept | null = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (kept?.accountId === accountId && Date.now() < kept.until) return kept;
  forgetBegun();
  return null;
}
