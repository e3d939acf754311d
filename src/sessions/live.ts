import type { FoundSession } from "../database/database.ts";
import type { EndReason } from "../refusals.ts";
import { overByTime } from "./expiry.ts";
import type { SessionParts } from "./parts.ts";

/** Keeps proxies from closing a quiet stream, in ms. */
const HEARTBEAT = 25_000;
/** After a database that didn't answer, streams look again this much later, in ms. */
const LOOK_AGAIN = 1_000;
const SESSIONS_A_QUERY = 500;

export type Told = { reason: EndReason; by?: string; at?: string };

/** One open page. */
export type Listener = {
  sessionsChanged(): void;
  /** The session has ended: says why, then closes. */
  signedOut(told: Told): void;
  heartbeat(): void;
  /** Closes without a word: the server stops, and the page comes back. */
  close(): void;
};

type Stream = { session: FoundSession; listener: Listener; timer: NodeJS.Timeout | undefined };

/**
 * The open pages of this node. An announcement is only a hint to look: what a page is told comes from
 * the tables. A stream is the session's, not the token's, so it survives a renewed token.
 */
export class LiveStreams {
  readonly #parts: SessionParts;
  readonly #onError: (error: unknown) => void;
  readonly #streams = new Map<string, Set<Stream>>();
  #toLookAt = new Set<string>();
  #looking = false;
  #isOver = false;
  #retry: NodeJS.Timeout | undefined;
  #stopHearing: (() => void) | undefined;

  constructor(parts: SessionParts, onError: (error: unknown) => void) {
    this.#parts = parts;
    this.#onError = onError;
  }

  /** Opens a stream for a session; the returned function forgets it. */
  open(session: FoundSession, listener: Listener): () => void {
    if (this.#isOver) {
      listener.close();
      return () => {};
    }
    const stream: Stream = { session, listener, timer: undefined };
    const open = this.#streams.get(session.accountId) ?? new Set();
    this.#streams.set(session.accountId, open.add(stream));
    this.#stopHearing ??= this.#parts.database.onAnnouncement((accountId) => this.#hear(accountId));
    this.#watchTime(stream);
    // The session may have ended between its check and this line.
    void this.#tell([stream], "only endings").catch((error) => {
      this.#onError(error);
      this.#hear(session.accountId);
    });
    return () => this.#forget(stream);
  }

  /** How many pages listen here. */
  get size(): number {
    return [...this.#streams.values()].reduce((sum, open) => sum + open.size, 0);
  }

  /** Closes every stream without a word, and each that is opened from now on: the server stops, and the pages come back. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
    for (const stream of [...this.#streams.values()].flatMap((open) => [...open])) {
      this.#forget(stream);
      stream.listener.close();
    }
  }

  #hear(accountId: string | "everyone"): void {
    if (accountId === "everyone") for (const open of this.#streams.keys()) this.#toLookAt.add(open);
    else if (this.#streams.has(accountId)) this.#toLookAt.add(accountId);
    if (!this.#looking && this.#toLookAt.size > 0) void this.#look();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    while (this.#toLookAt.size > 0) {
      const accounts = this.#toLookAt;
      this.#toLookAt = new Set();
      const open = [...accounts].flatMap((accountId) => [...(this.#streams.get(accountId) ?? [])]);
      try {
        await this.#tell(open, "changes too");
      } catch (error) {
        this.#onError(error);
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.#hear("everyone"), LOOK_AGAIN);
        this.#retry.unref();
      }
    }
    this.#looking = false;
  }

  async #tell(open: Stream[], what: "only endings" | "changes too"): Promise<void> {
    for (let start = 0; start < open.length; start += SESSIONS_A_QUERY) {
      const some = open.slice(start, start + SESSIONS_A_QUERY);
      const ended = await readEnded(this.#parts, [...new Set(some.map((stream) => stream.session.id))]);
      for (const stream of some) {
        const told = ended.get(stream.session.id);
        if (told) this.#end(stream, told);
        else if (what === "changes too" && this.#isOpen(stream)) stream.listener.sessionsChanged();
      }
    }
  }

  /** One short timer at a time: a timer of 30 days would overflow and fire at once. */
  #watchTime(stream: Stream): void {
    const { settings, lastUsed } = this.#parts;
    const now = settings.now();
    const lastUsedAt = lastUsed.of(stream.session.id, stream.session.lastUsedAt);
    const reason = overByTime(stream.session.expiresAt, lastUsedAt, settings, now);
    if (reason !== null) {
      this.#end(stream, { reason });
      return;
    }
    const wait = Math.min(HEARTBEAT, Math.max(1, stream.session.expiresAt - now));
    stream.timer = setTimeout(() => {
      stream.listener.heartbeat();
      this.#watchTime(stream);
    }, wait);
    stream.timer.unref();
  }

  #end(stream: Stream, told: Told): void {
    if (!this.#isOpen(stream)) return;
    this.#forget(stream);
    stream.listener.signedOut(told);
  }

  #isOpen(stream: Stream): boolean {
    return this.#streams.get(stream.session.accountId)?.has(stream) ?? false;
  }

  #forget(stream: Stream): void {
    clearTimeout(stream.timer);
    const open = this.#streams.get(stream.session.accountId);
    open?.delete(stream);
    if (open?.size === 0) this.#streams.delete(stream.session.accountId);
    if (this.#streams.size > 0) return;
    this.#stopHearing?.();
    this.#stopHearing = undefined;
  }
}

/** Which of these sessions have ended, and why. One whose reason is already pruned counts as expired. */
async function readEnded(parts: SessionParts, sessionIds: string[]): Promise<Map<string, Told>> {
  const { read } = parts.database;
  const living = await read.selectFrom("session").select("id").where("id", "in", sessionIds).execute();
  const alive = new Set(living.map((row) => row.id));
  const gone = sessionIds.filter((id) => !alive.has(id));
  if (gone.length === 0) return new Map();
  const rows = await read
    .selectFrom("ended_session")
    .select(["session_id", "reason", "by", "at"])
    .where("session_id", "in", gone)
    .execute();
  const told = new Map<string, Told>(gone.map((id) => [id, { reason: "expired" }]));
  for (const { session_id, reason, by, at } of rows) {
    told.set(session_id, by === null ? { reason } : { reason, by, at: new Date(at).toISOString() });
  }
  return told;
}
