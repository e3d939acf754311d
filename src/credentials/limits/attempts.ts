import { sql } from "kysely";
import { type Database, MAY_BE_LOST, type Write } from "../../database/database.ts";
import { type Refusal, refuse } from "../../refusals.ts";
import { hashToken } from "../../sessions/token.ts";
import { createDecided } from "./decided.ts";
import { createTurns } from "./turns.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How many tries are let through. By account they stop guessing; by network they stop one guesser
 * working through many accounts, and are generous, since an office or a carrier shares one.
 */
const LIMITS = {
  password: { most: 10, window: 15 * MINUTE },
  password_known_device: { most: 10, window: 15 * MINUTE },
  /** All of them together, for one account. */
  password_unknown_devices: { most: 100, window: DAY },
  password_network: { most: 100, window: 15 * MINUTE },
  /** No limit: see `noteForNobody`. */
  password_of_nobody: { most: Number.POSITIVE_INFINITY, window: MINUTE },
  new_password: { most: 30, window: 15 * MINUTE },
  second_factor: { most: 20, window: HOUR },
  second_factor_known_device: { most: 20, window: HOUR },
  sign_up_network: { most: 300, window: HOUR },
  email: { most: 5, window: HOUR },
  ceremony_network: { most: 1_000, window: 15 * MINUTE },
  email_network: { most: 100, window: HOUR },
} as const satisfies Record<string, { most: number; window: number }>;

/** How many times as high the limits are for a peer that may speak for many visitors. */
const GENEROUS = 10;

export type Limit = { kind: keyof typeof LIMITS; of: string; generous?: boolean };

export type Attempts = ReturnType<typeof createAttempts>;

export function createAttempts(database: Database, on: boolean) {
  const turns = createTurns("Too many sign-ins of one account are under way.");
  const decided = createDecided(database);
  return {
    /**
     * Counts one try against each limit, before it is checked, so that parallel tries can't slip by.
     * A null counts nothing.
     * @returns a refusal with the seconds to wait if any limit is used up; a limit known to be used up costs no write.
     */
    async take(limits: (Limit | null)[], now: number): Promise<Refusal | null> {
      const refused = await this.refusal(limits, now);
      if (!on || refused) return refused;
      const ends = await database.write(async (write) => {
        const ends: [key: string, end: number][] = [];
        for (const limit of inOrder(limits)) ends.push([keyOf(limit), await countTry(write, limit, now)]);
        return ends.filter(([, end]) => end > now);
      }, MAY_BE_LOST);
      for (const [key, end] of ends) decided.remember(key, end, now);
      return ends.length === 0 ? null : tooMany(Math.max(...ends.map(([, end]) => end)) - now);
    },
    /** The refusal of a limit that is known to be used up; counts nothing. */
    async refusal(limits: (Limit | null)[], now: number): Promise<Refusal | null> {
      if (!on) return null;
      const asked = inOrder(limits).map((limit) => ({ key: keyOf(limit), most: mostOf(limit) }));
      const end = await decided.endOf(asked, now);
      return end === null ? null : tooMany(end - now);
    },
    /** The try was right: forgets what was counted. */
    async release({ query }: Write, limit: Limit): Promise<void> {
      if (!on) return;
      decided.forget(keyOf(limit));
      await query.deleteFrom("attempts").where("key", "=", keyOf(limit)).execute();
    },
    /** The try was right, and others share the count: gives this one back. */
    async giveBack({ query }: Write, shared: Limit | null): Promise<void> {
      if (!on || shared === null) return;
      decided.forget(keyOf(shared));
      await query
        .updateTable("attempts")
        .set({ count: sql`count - 1` })
        .where("key", "=", keyOf(shared))
        .where("count", ">", 0)
        .execute();
    },
    /** Counts a wrong password of an address without an account, as much work as noting it for an owner. */
    async noteForNobody(write: Write, address: string, now: number): Promise<void> {
      await countTry(write, { kind: "password_of_nobody", of: address }, now);
    },
    /** Few tries of one kind are under way at once; the others wait here, so that right ones don't use up the limit. */
    inTurn: <T>(limit: Limit, work: () => Promise<T>) => turns.run(keyOf(limit), work),
  };
}

/** Returns when the limit's window ends where it is used up, else the given time. */
async function countTry({ query }: Write, limit: Limit, now: number): Promise<number> {
  const { window } = LIMITS[limit.kind];
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
  return row.count > mostOf(limit) ? row.window_ends_at : now;
}

const mostOf = ({ kind, generous }: Limit) => LIMITS[kind].most * (generous ? GENEROUS : 1);

/** Hashed: what is limited may be an address, or whatever else was typed. */
const keyOf = ({ kind, of, generous }: Limit) =>
  `${kind}${generous ? ":generous" : ""}:${Buffer.from(hashToken(of)).toString("base64url")}`;

/** Always in the same order, so that two tries never deadlock. */
function inOrder(limits: (Limit | null)[]): Limit[] {
  return limits.filter((limit) => limit !== null).sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

function tooMany(wait: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(wait / 1_000));
  const minutes = Math.ceil(retryAfter / 60);
  const when =
    minutes === 1 ? "a minute" : minutes <= 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
  return refuse("too_many_attempts", `Too many attempts. Try again in ${when}.`, { retryAfter });
}
