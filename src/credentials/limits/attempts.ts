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
 * How many tries are allowed per window (ms). Limits by account stop guessing. Limits by network stop one
 * guesser from working through many accounts; they are higher, since an office or a carrier shares a network.
 */
const LIMITS = {
  password: { most: 10, window: 15 * MINUTE },
  password_known_device: { most: 10, window: 15 * MINUTE },
  /** All unknown browsers together, for one account. */
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

/** How many times higher the limits are for a peer that may be a proxy for many visitors. */
const GENEROUS = 10;

export type Limit = { kind: keyof typeof LIMITS; of: string; generous?: boolean };

export type Attempts = ReturnType<typeof createAttempts>;

export function createAttempts(database: Database, on: boolean) {
  const turns = createTurns("Too many sign-ins of one account are under way.");
  const decided = createDecided(database);
  return {
    /**
     * Counts one try against each limit before the try is checked, so that parallel tries can't slip by.
     * Nulls are ignored. A limit that is known to be used up costs no write.
     * @returns a refusal with the seconds to wait if any limit is used up, else null.
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
    /** A refusal if a limit is known to be used up, else null. Counts nothing. */
    async refusal(limits: (Limit | null)[], now: number): Promise<Refusal | null> {
      if (!on) return null;
      const asked = inOrder(limits).map((limit) => ({ key: keyOf(limit), most: mostOf(limit) }));
      const end = await decided.endOf(asked, now);
      return end === null ? null : tooMany(end - now);
    },
    /** Resets a limit after a successful try. */
    async release({ query }: Write, limit: Limit): Promise<void> {
      if (!on) return;
      decided.forget(keyOf(limit));
      await query.deleteFrom("attempts").where("key", "=", keyOf(limit)).execute();
    },
    /** Takes one try off a count that others share, after a successful try. */
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
    /** Counts a wrong password for an address without an account, with the same work as for an account. */
    async noteForNobody(write: Write, address: string, now: number): Promise<void> {
      await countTry(write, { kind: "password_of_nobody", of: address }, now);
    },
    /** Runs only a few tries of one limit at once, so that right ones at the same time don't use it up. */
    inTurn: <T>(limit: Limit, work: () => Promise<T>) => turns.run(keyOf(limit), work),
  };
}

/** Counts a try. Returns when the limit's window ends if the limit is used up, else `now`. */
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

/** Hashed, since `of` may be an email address, or anything else that somebody typed. */
const keyOf = ({ kind, of, generous }: Limit) =>
  `${kind}${generous ? ":generous" : ""}:${Buffer.from(hashToken(of)).toString("base64url")}`;

/** Always the same order, so that two tries never deadlock. */
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
