import type { Database } from "../../database/database.ts";
import { lockAccount } from "../../database/lock.ts";
import type { CeremonyKind } from "../../database/schema.ts";
import { hashToken } from "../../sessions/token.ts";

/** How long a passkey prompt or an authorization at a provider may take, in ms. */
const CEREMONY_LIFETIME = 10 * 60_000;

/** What is under way between a browser and an authenticator or a provider. */
export type Ceremony = { kind: CeremonyKind; accountId: string | null; data: string };

/**
 * Begins a ceremony: `key` is the challenge or the state that comes back with its answer, `browser` the
 * secret of the cookie that binds it to the browser that asked. Where the account is gone by now nothing
 * begins, and the answer will be refused as one to an unknown challenge.
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

/** Takes a ceremony, once; undefined where it is unknown, stale, used, or another browser's. */
export async function takeCeremony(
  database: Database,
  of: { key: string; browser: string | null },
  kind: CeremonyKind,
  now: number,
): Promise<Ceremony | undefined> {
  const taken = await takeCeremonyOrLate(database, of, kind);
  return taken && taken.expiresAt > now ? taken : undefined;
}

/** The same, but also one that has expired, as long as it hasn't been pruned. */
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
