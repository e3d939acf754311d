import type { EndReason } from "../../answers.ts";
import type { FoundSession } from "../../database/database.ts";
import type { Refusal } from "../../refusals.ts";
import { refuse } from "../../refusals.ts";
import { overByTime } from "../expiry.ts";
import type { SessionParts } from "../parts.ts";
import type { Hint, Subscription, Watcher } from "./watcher.ts";

/** Keeps proxies from closing a quiet stream, and how late a page hears of what nobody announced, in ms. */
const HEARTBEAT = 25_000;
/** Streams whose heartbeats come closer together than this are looked at in one query, in ms. */
const GATHER = 1_000;
const SESSIONS_A_QUERY = 500;
/** Of one session: more open pages than a person has, and few enough that a stolen cookie can't take all places. */
const MOST_OF_SESSION = 20;
/** Of this process: each holds a connection, and some 20 kB with it; a tenth of what one machine's ports and files allow. */
const MOST_STREAMS = 10_000;
/** When it makes sense to ask for a place again, in s: the page of another tab may be gone by then. */
const RETRY_AFTER = 30;

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

type Stream = {
  session: Pick<FoundSession, "id" | "accountId" | "expiresAt">;
  listener: Listener;
  timer: NodeJS.Timeout | undefined;
};

/**
 * The open pages of this node: a subscriber of the watcher. Every heartbeat looks into the tables as well,
 * since a hint may be lost. A stream is the session's, not the token's, so it survives a renewed token.
 */
export class LiveStreams {
  readonly #parts: SessionParts;
  readonly #watcher: Watcher;
  readonly #onError: (error: unknown) => void;
  readonly #streams = new Map<string, Set<Stream>>();
  #isOver = false;
  #beaten: Stream[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #subscription: Subscription | undefined;
  readonly #most: number;
  #size = 0;

  constructor(parts: SessionParts, watcher: Watcher, onError: (error: unknown) => void, most = MOST_STREAMS) {
    this.#parts = parts;
    this.#watcher = watcher;
    this.#onError = onError;
    this.#most = most;
  }

  /** Why there is no place for another stream of this session; null where there is one. */
  whyFull({ id, accountId }: Pick<FoundSession, "id" | "accountId">): Refusal | null {
    const facts = { retryAfter: RETRY_AFTER };
    const own = [...(this.#streams.get(accountId) ?? [])].filter(({ session }) => session.id === id);
    if (own.length >= MOST_OF_SESSION)
      return refuse("too_many_attempts", `${MOST_OF_SESSION} pages of this session listen already.`, facts);
    if (this.#size >= this.#most)
      return refuse("unavailable", "Too many pages listen here already. Try again later.", facts);
    return null;
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
    this.#size += 1;
    const subscription = this.#subscribe();
    this.#watchTime(stream);
    // The session may have ended between its check and this line.
    void this.#tell([stream], "only endings").catch((error) => {
      this.#onError(error);
      subscription.hint(session.accountId);
    });
    return () => this.#forget(stream);
  }

  /** How many pages listen here. */
  get size(): number {
    return this.#size;
  }

  /** Closes every stream without a word, and each that is opened from now on: the server stops, and the pages come back. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#gathering);
    for (const stream of [...this.#streams.values()].flatMap((open) => [...open])) {
      this.#forget(stream);
      stream.listener.close();
    }
  }

  #subscribe(): Subscription {
    this.#subscription ??= this.#watcher.subscribe({
      concerns: (hint) => hint === "everyone" || this.#streams.has(hint),
      look: (hints) => this.#tell(this.#openOf(hints), "changes too"),
      onError: this.#onError,
      gather: 0,
    });
    return this.#subscription;
  }

  #openOf(hints: ReadonlySet<Hint>): Stream[] {
    const accountIds = hints.has("everyone") ? this.#streams.keys() : hints;
    return [...accountIds].flatMap((accountId) => [...(this.#streams.get(accountId) ?? [])]);
  }

  async #tell(open: Stream[], what: "only endings" | "changes too"): Promise<void> {
    for (let start = 0; start < open.length; start += SESSIONS_A_QUERY) {
      const some = open.slice(start, start + SESSIONS_A_QUERY);
      const ids = [...new Set(some.map((stream) => stream.session.id))];
      const usedAt = await readLiving(this.#parts, ids);
      const ended = await readEnded(
        this.#parts,
        ids.filter((id) => !usedAt.has(id)),
      );
      for (const stream of some) {
        const told = ended.get(stream.session.id) ?? this.#overByTime(stream, usedAt);
        if (told) this.#end(stream, told);
        else if (what === "changes too" && this.#isOpen(stream)) stream.listener.sessionsChanged();
      }
    }
  }

  /** One short timer at a time: a timer of 30 days would overflow and fire at once. */
  #watchTime(stream: Stream): void {
    const left = stream.session.expiresAt - this.#parts.settings.now();
    if (left <= 0) {
      this.#end(stream, { reason: "expired" });
      return;
    }
    stream.timer = setTimeout(
      () => {
        stream.listener.heartbeat();
        this.#lookAfterBeat(stream);
        this.#watchTime(stream);
      },
      Math.min(HEARTBEAT, left),
    );
    stream.timer.unref();
  }

  /** Whether a session is over by time now, going by the row: it may have been used on another node. */
  #overByTime({ session }: Stream, usedAt: Map<string, number>): Told | null {
    const { settings, lastUsed } = this.#parts;
    const lastUsedAt = lastUsed.of(session.id, usedAt.get(session.id) ?? 0);
    const reason = overByTime(session.expiresAt, lastUsedAt, settings, settings.now());
    return reason && { reason };
  }

  #lookAfterBeat(stream: Stream): void {
    this.#beaten.push(stream);
    this.#gathering ??= setTimeout(() => {
      const beaten = this.#beaten;
      this.#beaten = [];
      this.#gathering = undefined;
      // A database that doesn't answer is asked again at the next beat.
      this.#tell(beaten, "only endings").catch(this.#onError);
    }, GATHER);
    this.#gathering.unref();
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
    if (open?.delete(stream)) this.#size -= 1;
    if (open?.size === 0) this.#streams.delete(stream.session.accountId);
    if (this.#streams.size > 0) return;
    void this.#subscription?.stop();
    this.#subscription = undefined;
  }
}

/** Which of these sessions have a row, and when it says that they were last used. */
async function readLiving(parts: SessionParts, sessionIds: string[]): Promise<Map<string, number>> {
  const rows = await parts.database.read
    .selectFrom("session")
    .select(["id", "last_used_at"])
    .where("id", "in", sessionIds)
    .execute();
  return new Map(rows.map((row) => [row.id, row.last_used_at]));
}

/** Why these sessions, which are gone, ended. One whose reason is already pruned counts as expired. */
async function readEnded(parts: SessionParts, gone: string[]): Promise<Map<string, Told>> {
  if (gone.length === 0) return new Map();
  const rows = await parts.database.read
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
