import type { SignedOut } from "../../answers.ts";
import type { FoundBinding, FoundSession } from "../../database/database.ts";
import { type Refusal, refuse } from "../../refusals.ts";
import { isBindable } from "../binding/bindable.ts";
import { overByTime } from "../expiry.ts";
import type { SessionParts } from "../parts.ts";
import { readEnded, readLiving } from "./read-sessions.ts";
import { type Hint, type Subscription, watch } from "./watch.ts";

/** How often a stream gets a heartbeat, so that no proxy closes it, and its session is checked; in ms. */
const HEARTBEAT = 25_000;
/** Streams whose heartbeats come within this time of each other are checked in one query, in ms. */
const GATHER = 1_000;
const SESSIONS_A_QUERY = 500;
/** Per session: more pages than a person opens, and so few that a stolen cookie can't use up all streams. */
const MOST_OF_SESSION = 20;
/** Per process. Each holds a connection and about 20 kB; a machine's ports and files allow ten times more. */
const MOST_STREAMS = 10_000;
/** `Retry-After`, in s: another tab may be closed by then. */
const RETRY_AFTER = 30;

/** One open page. */
export type Listener = {
  sessionsChanged(): void;
  /** Tells the page why its session has ended, then closes the stream. */
  signedOut(why: SignedOut): void;
  heartbeat(): void;
  /** Closes without an event; the page reconnects. The server stops, or the device's proof has run out. */
  close(): void;
};

type Stream = {
  session: Pick<FoundSession, "id" | "accountId" | "expiresAt">;
  listener: Listener;
  /** When the bound cookie that the stream was opened with runs out; null if its session wasn't bound yet. */
  provedUntil: number | null;
  timer: NodeJS.Timeout | undefined;
};

/**
 * The open pages of this node; their sessions are watched while there are any. A heartbeat also checks the
 * tables, since a hint may be lost. A stream belongs to the session, not to its token, so it survives a
 * renewed token.
 */
export class LiveStreams {
  readonly #parts: SessionParts;
  readonly #onError: (error: unknown) => void;
  readonly #streams = new Map<string, Set<Stream>>();
  #isOver = false;
  #toLookAt: Stream[] = [];
  #gathering: NodeJS.Timeout | undefined;
  #subscription: Subscription | undefined;
  readonly #most: number;
  #size = 0;

  constructor(parts: SessionParts, onError: (error: unknown) => void, most = MOST_STREAMS) {
    this.#parts = parts;
    this.#onError = onError;
    this.#most = most;
  }

  /** Why this session can't open another stream; null if it can. */
  whyFull({ id, accountId }: Pick<FoundSession, "id" | "accountId">): Refusal | null {
    const facts = { retryAfter: RETRY_AFTER };
    const own = [...(this.#streams.get(accountId) ?? [])].filter(({ session }) => session.id === id);
    if (own.length >= MOST_OF_SESSION)
      return refuse("too_many_attempts", `${MOST_OF_SESSION} pages of this session listen already.`, facts);
    if (this.#size >= this.#most)
      return refuse("unavailable", "Too many pages listen here already. Try again later.", facts);
    return null;
  }

  /** Opens a stream for a session. Call the returned function when its connection has closed. */
  open(session: FoundSession, listener: Listener): () => void {
    if (this.#isOver) {
      listener.close();
      return () => {};
    }
    const stream: Stream = { session, listener, provedUntil: this.#provedUntil(session), timer: undefined };
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

  /** How many streams are open. */
  get size(): number {
    return this.#size;
  }

  /** Closes every stream, and any opened later, without an event: the server stops, and pages reconnect. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#gathering);
    for (const stream of [...this.#streams.values()].flatMap((open) => [...open])) this.#end(stream, null);
  }

  #subscribe(): Subscription {
    this.#subscription ??= watch(this.#parts.database, {
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
      const living = await readLiving(this.#parts, ids);
      const ended = await readEnded(
        this.#parts,
        ids.filter((id) => !living.has(id)),
      );
      for (const stream of some) {
        const row = living.get(stream.session.id);
        const why = ended.get(stream.session.id) ?? this.#overByTime(stream, row?.last_used_at);
        if (why) this.#end(stream, why);
        else if (stream.provedUntil === null && this.#isBound(row?.bound_at ?? null)) this.#end(stream, null);
        else if (what === "changes too" && this.#isOpen(stream)) stream.listener.sessionsChanged();
      }
    }
  }

  /** Uses one short timer after another: a timer of 30 days would overflow and fire at once. */
  #watchTime(stream: Stream): void {
    const { session, provedUntil } = stream;
    const now = this.#parts.settings.now();
    if (session.expiresAt <= now) {
      this.#end(stream, { reason: "expired" });
      return;
    }
    // A stream opened with copied cookies ends when they run out; the owner's page reconnects with new ones.
    if (provedUntil !== null && provedUntil <= now) {
      this.#end(stream, null);
      return;
    }
    const left = Math.min(session.expiresAt, provedUntil ?? Number.POSITIVE_INFINITY) - now;
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

  /** Whether a session has expired or is idle. The row counts too: another node may have seen a use. */
  #overByTime({ session }: Stream, writtenAt = 0): SignedOut | null {
    const { settings, lastUsed } = this.#parts;
    const lastUsedAt = lastUsed.of(session.id, writtenAt);
    const reason = overByTime(session.expiresAt, lastUsedAt, settings, settings.now());
    return reason && { reason };
  }

  #lookAfterBeat(stream: Stream): void {
    this.#toLookAt.push(stream);
    this.#gathering ??= setTimeout(() => {
      const streams = this.#toLookAt;
      this.#toLookAt = [];
      this.#gathering = undefined;
      // A database that doesn't answer is asked again at the next beat.
      this.#tell(streams, "only endings").catch(this.#onError);
    }, GATHER);
    this.#gathering.unref();
  }

  /** Ends a stream. Without a reason it just closes, and its page reconnects. */
  #end(stream: Stream, why: SignedOut | null): void {
    if (!this.#isOpen(stream)) return;
    this.#forget(stream);
    if (why) stream.listener.signedOut(why);
    else stream.listener.close();
  }

  /** While the previous bound cookie is still valid, the stream may have been opened with it. */
  #provedUntil({ boundAt, boundUntil, formerBoundUntil }: FoundBinding): number | null {
    if (!this.#isBound(boundAt)) return null;
    const former = formerBoundUntil ?? 0;
    return former > this.#parts.settings.now() ? former : (boundUntil ?? 0);
  }

  #isBound(boundAt: number | null): boolean {
    return boundAt !== null && isBindable(this.#parts.settings);
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
