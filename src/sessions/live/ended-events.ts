import type { EndReason } from "../../answers.ts";
import { REASON_KEPT } from "../expiry.ts";
import type { SessionParts } from "../parts.ts";
import { type Subscription, watch } from "./watch.ts";

/** A session that has ended, as the app is told. */
export type SessionEnded = {
  sessionId: string;
  accountId: string;
  reason: EndReason;
  /** The label of the device that ended it, if one did. */
  by?: string;
  /** ISO 8601, UTC. */
  at: string;
};

/** The app's callback. If it throws or rejects, the error is logged; other listeners are still called. */
export type EndedListener = (ended: SessionEnded) => void | Promise<void>;

/** Hints that come within this time of each other cause one look at the tables, in ms. */
const GATHER = 50;
/** How far before the last look each look goes back, in ms: commits may show late, and clocks differ. */
const LOOK_BACK = 60_000;
/** How often to look for sessions that have expired, in ms: nobody announces those. */
const TICK = 5_000;

/**
 * Tells an app which sessions end, so that it can close its own sockets. Sessions are watched only while
 * somebody listens. Each ending is reported once, even if this machine or its database connection pauses. An
 * expired session is reported within seconds; an idle one when it is pruned.
 */
export class EndedEvents {
  readonly #parts: SessionParts;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Set<EndedListener>();
  /** Endings that were reported and may be found again: session id to the time it ended. */
  readonly #told = new Map<string, number>();
  #since = 0;
  /** When the last look succeeded. */
  #lookedAt = 0;
  #ticking: NodeJS.Timeout | undefined;
  #subscription: Subscription | undefined;

  constructor(parts: SessionParts, onError: (error: unknown) => void) {
    this.#parts = parts;
    this.#onError = onError;
  }

  /** Calls the listener for every session that ends from now on. Returns a function that stops it. */
  on(event: "session-ended", listener: EndedListener): () => void {
    if (event !== "session-ended") {
      throw new TypeError(`There is no event "${event}"; listen to "session-ended".`);
    }
    if (typeof listener !== "function") throw new TypeError(`on("session-ended", …) takes a function.`);
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) void this.#stop();
    };
  }

  /** Stops, after a look that is under way has reported its endings. */
  async close(): Promise<void> {
    await this.#stop();
    this.#listeners.clear();
  }

  #begin(): void {
    this.#since = this.#lookedAt = this.#parts.settings.now();
    const subscription = watch(this.#parts.database, {
      concerns: () => true,
      look: () => this.#look(),
      onError: this.#onError,
      gather: GATHER,
    });
    this.#subscription = subscription;
    this.#ticking = setInterval(() => subscription.hint("everyone"), TICK);
    this.#ticking.unref();
  }

  async #stop(): Promise<void> {
    clearInterval(this.#ticking);
    const subscription = this.#subscription;
    this.#subscription = undefined;
    await subscription?.stop();
  }

  async #look(): Promise<void> {
    const { database, settings } = this.#parts;
    const now = settings.now();
    const lookedAt = this.#lookedAt;
    const from = Math.max(this.#since, lookedAt - LOOK_BACK);
    // Read before the ended ones: a session pruned between the two queries is then in both, not in neither.
    const over = await database.read
      .selectFrom("session")
      .select(["id", "account_id", "expires_at"])
      .where("expires_at", ">", lookedAt)
      .where("expires_at", "<=", now)
      .execute();
    const ended = await database.read
      .selectFrom("ended_session")
      .select(["session_id", "account_id", "reason", "by", "at"])
      .where("at", ">=", from)
      // The others had expired by an earlier look, and were reported then.
      .where("until", ">", lookedAt + REASON_KEPT)
      .orderBy("at")
      .execute();
    this.#lookedAt = now;
    for (const [id, at] of this.#told) if (at < from) this.#told.delete(id);
    for (const { id, account_id, expires_at } of over) {
      this.#tell({ sessionId: id, accountId: account_id, reason: "expired", at: iso(expires_at) });
    }
    for (const { session_id, account_id, reason, by, at } of ended) {
      const who = { sessionId: session_id, accountId: account_id, reason, at: iso(at) };
      this.#tell(by === null ? who : { ...who, by });
    }
  }

  #tell(ended: SessionEnded): void {
    if (this.#told.has(ended.sessionId)) return;
    this.#told.set(ended.sessionId, Date.parse(ended.at));
    for (const listener of this.#listeners) (async () => listener(ended))().catch(this.#onError);
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
