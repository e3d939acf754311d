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

export type LiveStreams = {
  /** Opens a stream for a session; the returned function forgets it. */
  open(session: FoundSession, listener: Listener): () => void;
  readonly size: number;
  close(): void;
};

/**
 * The open pages of this node. An announcement is only a hint to look: what a page is told comes from
 * the tables. A stream is the session's, not the token's, so it survives a renewed token.
 */
export function createLiveStreams(parts: SessionParts, onError: (error: unknown) => void): LiveStreams {
  const streams = new Map<string, Set<Stream>>();
  let dirty = new Set<string>();
  let looking = false;
  let retry: NodeJS.Timeout | undefined;
  let stopHearing: (() => void) | undefined;

  function hear(accountId: string | "everyone"): void {
    if (accountId === "everyone") for (const open of streams.keys()) dirty.add(open);
    else if (streams.has(accountId)) dirty.add(accountId);
    if (!looking && dirty.size > 0) void look();
  }

  async function look(): Promise<void> {
    looking = true;
    while (dirty.size > 0) {
      const accounts = dirty;
      dirty = new Set();
      const open = [...accounts].flatMap((accountId) => [...(streams.get(accountId) ?? [])]);
      try {
        await tellStreams(open, true);
      } catch (error) {
        onError(error);
        for (const accountId of accounts) dirty.add(accountId);
        clearTimeout(retry);
        retry = setTimeout(() => hear("everyone"), LOOK_AGAIN);
        retry.unref();
        break;
      }
    }
    looking = false;
  }

  async function tellStreams(open: Stream[], changed: boolean): Promise<void> {
    for (let start = 0; start < open.length; start += SESSIONS_A_QUERY) {
      const some = open.slice(start, start + SESSIONS_A_QUERY);
      const ended = await readEnded(parts, [...new Set(some.map((stream) => stream.session.id))]);
      for (const stream of some) {
        const told = ended.get(stream.session.id);
        if (told) end(stream, told);
        else if (changed) stream.listener.sessionsChanged();
      }
    }
  }

  function end(stream: Stream, told: Told): void {
    forget(stream);
    stream.listener.signedOut(told);
  }

  function forget(stream: Stream): void {
    clearTimeout(stream.timer);
    const open = streams.get(stream.session.accountId);
    open?.delete(stream);
    if (open?.size === 0) streams.delete(stream.session.accountId);
    if (streams.size > 0) return;
    stopHearing?.();
    stopHearing = undefined;
  }

  /** One short timer at a time: a timer of 30 days would overflow and fire at once. */
  function watchTime(stream: Stream): void {
    const now = parts.settings.now();
    const lastUsedAt = parts.lastUsed.of(stream.session.id, stream.session.lastUsedAt);
    const over = overByTime({ ...stream.session, lastUsedAt }, parts.settings, now);
    if (over) return end(stream, { reason: over });
    const left = Math.max(1, stream.session.expiresAt - now);
    stream.timer = setTimeout(
      () => {
        stream.listener.heartbeat();
        watchTime(stream);
      },
      Math.min(HEARTBEAT, left),
    );
    stream.timer.unref();
  }

  return {
    open(session, listener) {
      const stream: Stream = { session, listener, timer: undefined };
      const open = streams.get(session.accountId) ?? new Set();
      streams.set(session.accountId, open.add(stream));
      stopHearing ??= parts.database.onAnnouncement(hear);
      watchTime(stream);
      // The session may have ended between its check and this line.
      void tellStreams([stream], false).catch((error) => {
        onError(error);
        hear(session.accountId);
      });
      return () => forget(stream);
    },
    get size() {
      return [...streams.values()].reduce((sum, open) => sum + open.size, 0);
    },
    close() {
      clearTimeout(retry);
      for (const open of [...streams.values()]) {
        for (const stream of [...open]) {
          forget(stream);
          stream.listener.close();
        }
      }
    },
  };
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
