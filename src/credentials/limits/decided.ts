import type { Database } from "../../database/database.ts";

/** How many refusals are remembered; beyond that, the oldest is forgotten. */
const MOST = 10_000;
/** How long a refusal is trusted until its row is read again, in ms: another node may reset the limit. */
const BELIEVED = 2_000;

type Limit = { key: string; most: number };

/** Remembers limits that are used up, so that a flood of refused tries costs no writes and few reads. */
export function createDecided(database: Database) {
  const refused = new Map<string, { endsAt: number; seenAt: number }>();

  function remember(key: string, endsAt: number, now: number): void {
    refused.delete(key);
    refused.set(key, { endsAt, seenAt: now });
    const oldest = refused.keys().next();
    if (refused.size > MOST && !oldest.done) refused.delete(oldest.value);
  }

  async function endOfOne({ key, most }: Limit, now: number): Promise<number | null> {
    const known = refused.get(key);
    if (!known || known.endsAt <= now) return null;
    if (now - known.seenAt < BELIEVED) return known.endsAt;
    // Requests that come meanwhile trust the old refusal, so that one read is enough.
    known.seenAt = now;
    const row = await database.read
      .selectFrom("attempts")
      .select(["count", "window_ends_at"])
      .where("key", "=", key)
      .executeTakeFirst();
    if (row && row.count > most && row.window_ends_at > now) return row.window_ends_at;
    refused.delete(key);
    return null;
  }

  return {
    /** When the last of these limits is free again; null if none is known to be used up. */
    async endOf(limits: readonly Limit[], now: number): Promise<number | null> {
      const looked = await Promise.all(limits.map((limit) => endOfOne(limit, now)));
      const ends = looked.filter((end) => end !== null);
      return ends.length === 0 ? null : Math.max(...ends);
    },
    remember,
    forget: (key: string) => refused.delete(key),
  };
}
