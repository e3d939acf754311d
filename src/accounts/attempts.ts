import { sql } from "kysely";
import type { Database, Write } from "../database/database.ts";
import type { Refusal } from "../refusals.ts";
import { refuse } from "../refusals.ts";
import { hashToken } from "../sessions/token.ts";
import type { Turns } from "./turns.ts";
import { createTurns } from "./turns.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * How many tries are let through. By account they stop guessing; by network they stop one guesser
 * working through many accounts, and are generous, since an office or a carrier shares one.
 */
const LIMITS = {
  password: { most: 10, window: 15 * MINUTE },
  password_known_device: { most: 10, window: 15 * MINUTE },
  password_network: { most: 100, window: 15 * MINUTE },
  new_password: { most: 30, window: 15 * MINUTE },
  second_factor: { most: 20, window: HOUR },
  sign_up_network: { most: 300, window: HOUR },
  mail: { most: 5, window: HOUR },
  ceremony_network: { most: 1_000, window: 15 * MINUTE },
  mail_network: { most: 100, window: HOUR },
} as const satisfies Record<string, { most: number; window: number }>;

export type Limit = { kind: keyof typeof LIMITS; of: string | null };

export type Attempts = {
  /**
   * Counts one try against each limit, before it is judged, so that parallel tries can't slip by. A
   * limit of nobody (`of: null`, the network is not known) counts nothing.
   * @returns a refusal with the seconds to wait where any of them is used up.
   */
  take(limits: Limit[], now: number): Promise<Refusal | null>;
  /** The try was right: forgets what was counted against its own limits, gives one back where others share the count. */
  release(write: Write, limits: { own: Limit; shared?: Limit }): Promise<void>;
  /** Gives one try back, where others share the count. */
  giveBack(write: Write, shared: Limit): Promise<void>;
  /** Few tries of one kind are under way at once; the others wait here, so that right ones don't use up the limit. */
  inTurn<T>(limit: Limit, work: () => Promise<T>): Promise<T>;
};

const UNDER_WAY = 4;
const PATIENCE = 10_000;

export function createAttempts(database: Database, on: boolean): Attempts {
  const turns = new Map<string, Turns>();
  return {
    async take(limits, now) {
      if (!on) return null;
      const waits = await database.write(async (write) => {
        const ends: number[] = [];
        for (const limit of inOrder(limits)) ends.push(await countTry(write, limit, now));
        return ends.map((end) => end - now);
      });
      const longest = Math.max(0, ...waits);
      return longest === 0 ? null : tooMany(longest);
    },
    async release(write, { own, shared }) {
      if (!on) return;
      await write.query.deleteFrom("attempts").where("key", "=", keyOf(own)).execute();
      if (shared) await this.giveBack(write, shared);
    },
    async giveBack({ query }, shared) {
      if (!on || shared.of === null) return;
      await query
        .updateTable("attempts")
        .set({ count: sql`count - 1` })
        .where("key", "=", keyOf(shared))
        .where("count", ">", 0)
        .execute();
    },
    async inTurn(limit, work) {
      const key = keyOf(limit);
      const queue =
        turns.get(key) ?? createTurns(UNDER_WAY, PATIENCE, "Too many sign-ins of one account are under way.");
      turns.set(key, queue);
      try {
        return await queue.run(work);
      } finally {
        if (queue.isFree) turns.delete(key);
      }
    },
  };
}

/** Returns when the limit's window ends where it is used up, else the given time. */
async function countTry({ query }: Write, limit: Limit, now: number): Promise<number> {
  const { most, window } = LIMITS[limit.kind];
  const row = await query
    .insertInto("attempts")
    .values({ key: keyOf(limit), count: 1, window_ends_at: now + window })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet({
        count: sql`case when attempts.window_ends_at <= ${now} then 1 else attempts.count + 1 end`,
        window_ends_at: sql`case when attempts.window_ends_at <= ${now} then excluded.window_ends_at else attempts.window_ends_at end`,
      }),
    )
    .returning(["count", "window_ends_at"])
    .executeTakeFirstOrThrow();
  return row.count > most ? row.window_ends_at : now;
}

/** Hashed: what is limited may be an address, or whatever else was typed. */
const keyOf = ({ kind, of }: Limit) => `${kind}:${Buffer.from(hashToken(`${of}`)).toString("base64url")}`;

/** Always in the same order, so that two tries never wait for each other. */
function inOrder(limits: Limit[]): Limit[] {
  return limits.filter(({ of }) => of !== null).sort((one, other) => (one.kind < other.kind ? -1 : 1));
}

function tooMany(wait: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(wait / 1_000));
  const minutes = Math.ceil(retryAfter / 60);
  const when = minutes === 1 ? "a minute" : `${minutes} minutes`;
  return refuse("too_many_attempts", `Too many attempts. Try again in ${when}.`, { retryAfter });
}
