import type { EndReason } from "../refusals.ts";
import type { SessionParts } from "./parts.ts";

/** One session that ended, as an app is told of it. */
export type SessionEnded = {
  sessionId: string;
  accountId: string;
  reason: EndReason;
  /** The label of the device that did it, where one did. */
  by?: string;
  /** ISO 8601, UTC. */
  at: string;
};

/** Hints that come closer together than this are looked into once, in ms. */
const GATHER = 50;
/** How far back each look goes, in ms: a commit may be seen late, and the clocks of nodes differ. */
const LOOK_BACK = 60_000;
/** How often sessions are looked for whose time has run out: nobody announces those, in ms. */
const TICK = 5_000;

/**
 * Tells an app which sessions end, on whichever node or by the command line, so that it can close its
 * own sockets. An announcement is only a hint to look; what is told comes from the tables, each ending
 * once. Looks only while somebody listens. A session whose time runs out is told within seconds of it,
 * one that idles when it is pruned.
 */
export class EndedEvents {
  readonly #parts: SessionParts;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Set<(ended: SessionEnded) => void>();
  /** What was told lately, by session: until when it may still be found again. */
  readonly #told = new Map<string, number>();
  #since = 0;
  #tickedAt = 0;
  #work: Promise<void> = Promise.resolve();
  #gathering: NodeJS.Timeout | undefined;
  #ticking: NodeJS.Timeout | undefined;
  #stopHearing: (() => void) | undefined;

  constructor(parts: SessionParts, onError: (error: unknown) => void) {
    this.#parts = parts;
    this.#onError = onError;
  }

  /** Calls the listener for every session that ends from now on. Returns how to stop. */
  on(event: "session-ended", listener: (ended: SessionEnded) => void): () => void {
    if (event !== "session-ended") {
      throw new TypeError(`There is no event "${event}"; listen to "session-ended".`);
    }
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  /** Stops telling, once what was seen is told. */
  async close(): Promise<void> {
    this.#stop();
    await this.#work;
    this.#listeners.clear();
  }

  #begin(): void {
    this.#since = this.#tickedAt = this.#parts.settings.now();
    this.#stopHearing = this.#parts.database.onAnnouncement(() => this.#lookSoon());
    this.#ticking = setInterval(() => this.#lookSoon(), TICK);
    this.#ticking.unref();
  }

  #stop(): void {
    clearTimeout(this.#gathering);
    clearInterval(this.#ticking);
    this.#gathering = undefined;
    this.#stopHearing?.();
    this.#stopHearing = undefined;
  }

  #lookSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#work = this.#work.then(() => this.#look()).catch(this.#onError);
    }, GATHER);
    this.#gathering.unref();
  }

  async #look(): Promise<void> {
    const { database, settings } = this.#parts;
    const now = settings.now();
    const ended = await database.read
      .selectFrom("ended_session")
      .select(["session_id", "account_id", "reason", "by", "at"])
      .where("at", ">=", Math.max(this.#since, now - LOOK_BACK))
      .orderBy("at")
      .execute();
    const over = await database.read
      .selectFrom("session")
      .select(["id", "account_id", "expires_at"])
      .where("expires_at", ">", this.#tickedAt)
      .where("expires_at", "<=", now)
      .execute();
    this.#tickedAt = now;
    for (const [id, until] of this.#told) if (until < now) this.#told.delete(id);
    for (const { id, account_id, expires_at } of over) {
      this.#tell({ sessionId: id, accountId: account_id, reason: "expired", at: iso(expires_at) }, now);
    }
    for (const { session_id, account_id, reason, by, at } of ended) {
      const who = { sessionId: session_id, accountId: account_id, reason, at: iso(at) };
      this.#tell(by === null ? who : { ...who, by }, now);
    }
  }

  #tell(ended: SessionEnded, now: number): void {
    if (this.#told.has(ended.sessionId)) return;
    const { pruneInterval } = this.#parts.settings;
    this.#told.set(
      ended.sessionId,
      now + LOOK_BACK + (ended.reason === "expired" ? 2 * pruneInterval : LOOK_BACK),
    );
    for (const listener of this.#listeners) {
      try {
        listener(ended);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
