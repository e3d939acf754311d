import type { Write } from "../../database/database.ts";
import { lockAccount } from "../../database/lock.ts";
import type { CeremonyKind } from "../../database/schema.ts";
import { hashToken } from "../../sessions/token.ts";

/** How long a passkey prompt or an authorization at a provider may take, in ms. */
const CEREMONY_LIVES = 10 * 60_000;

/** What is under way between a browser and an authenticator or a provider. */
export type Ceremony = { kind: CeremonyKind; accountId: string | null; data: string };

/**
 * Begins a ceremony: `key` is the challenge or the state that comes back with its answer, `browser` the
 * secret of the cookie that binds it to the browser that asked. Where the account is gone by now nothing
 * begins, and the answer will be refused as one to an unknown challenge.
 */
export async function beginCeremony(
  write: Write,
  of: { key: string; browser: string },
  ceremony: Ceremony,
  now: number,
): Promise<void> {
  if (ceremony.accountId !== null && !(await lockAccount(write, ceremony.accountId))) return;
  await write.query
    .insertInto("ceremony")
    .values({
      key_hash: hashToken(of.key),
      kind: ceremony.kind,
      browser_hash: hashToken(of.browser),
      account_id: ceremony.accountId,
      data: ceremony.data,
      expires_at: now + CEREMONY_LIVES,
    })
    .execute();
}

/** Takes a ceremony, once; undefined where it is unknown, stale, used, or another browser's. */
export async function takeCeremony(
  write: Write,
  of: { key: string; browser: string | null },
  kind: CeremonyKind,
  now: number,
): Promise<Ceremony | undefined> {
  if (of.browser === null) return undefined;
  const taken = await write.query
    .deleteFrom("ceremony")
    .where("key_hash", "=", hashToken(of.key))
    .where("browser_hash", "=", hashToken(of.browser))
    .where("kind", "=", kind)
    .where("expires_at", ">", now)
    .returning(["account_id", "data"])
    .executeTakeFirst();
  return taken && { kind, accountId: taken.account_id, data: taken.data };
}
