import type { Database } from "../../database/database.ts";
import { lockAccount } from "../../database/lock.ts";
import type { CeremonyKind } from "../../database/schema.ts";
import { hashToken } from "../../sessions/token.ts";

/** How long a passkey prompt or an authorization at a provider may take, in ms. */
const CEREMONY_LIFETIME = 10 * 60_000;

/** A passkey prompt or an authorization at a provider that has begun and waits for its answer. */
export type Ceremony = { kind: CeremonyKind; accountId: string | null; data: string };

/**
 * Begins a ceremony. `key` is the challenge or state that comes back with the answer; `browser` is the secret
 * in the cookie that binds the ceremony to the browser that asked. If the account has been deleted, nothing
 * is stored, and the answer will be refused as an answer to an unknown challenge.
 */
export async function beginCeremony(
  database: Database,
  of: { key: string; browser: string },
  { kind, accountId, data }: Ceremony,
  now: number,
): Promise<void> {
  const row = {
    key_hash: hashToken(of.key),
    kind,
    browser_hash: hashToken(of.browser),
    account_id: accountId,
    data,
    expires_at: now + CEREMONY_LIFETIME,
  };
  await database.write(async (write) => {
    if (accountId !== null && !(await lockAccount(write, accountId))) return;
    await write.query.insertInto("ceremony").values(row).execute();
  });
}

/** Takes a ceremony, once; undefined if it is unknown, expired, used, or another browser's. */
export async function takeCeremony(
  database: Database,
  of: { key: string; browser: string | null },
  kind: CeremonyKind,
  now: number,
): Promise<Ceremony | undefined> {
  const taken = await takeCeremonyOrLate(database, of, kind);
  return taken && taken.expiresAt > now ? taken : undefined;
}

/** Like `takeCeremony`, but also returns one that has expired and not been pruned yet. */
export async function takeCeremonyOrLate(
  database: Database,
  { key, browser }: { key: string; browser: string | null },
  kind: CeremonyKind,
): Promise<(Ceremony & { expiresAt: number }) | undefined> {
  if (browser === null) return undefined;
  return database.write(({ query }) =>
    query
      .deleteFrom("ceremony")
      .where("key_hash", "=", hashToken(key))
      .where("browser_hash", "=", hashToken(browser))
      .where("kind", "=", kind)
      .returning(["kind", "account_id as accountId", "data", "expires_at as expiresAt"])
      .executeTakeFirst(),
  );
}
