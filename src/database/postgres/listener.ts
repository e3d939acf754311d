import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import pg from "pg";
import type { AnnouncementListener, Notice } from "../database.ts";
import { deadlineIn, within } from "../deadline.ts";
import type { Schema } from "../schema.ts";
import { connectionConfig } from "./connection-config.ts";

export const CHANNEL = "latchkey_sessions";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;
/** How often the connection is checked with a query, and how long the answer may take, in ms. */
const ASKED_EVERY = 10_000;
const ANSWER_LIMIT = 5_000;

/** The server to LISTEN at, and the setting that names it. */
export type ListenTarget = { url: string; setting: "DATABASE_URL" | "LATCHKEY_LISTEN_URL" };

/** A connection through a pooler would receive nothing, so LATCHKEY_LISTEN_URL can name a direct one. */
export function listenTarget(url: string, listenUrl: string | null): ListenTarget {
  return listenUrl === null
    ? { url, setting: "DATABASE_URL" }
    : { url: listenUrl, setting: "LATCHKEY_LISTEN_URL" };
}

/**
 * Keeps one direct connection that listens for the announcements of all but `node`, which is this one. If it
 * is lost, or silent for 15 s, it is replaced; every open page then refreshes, since it may have missed
 * announcements. The operator is told once if the connection can't be opened, and once when it is back.
 * Returns a function that stops listening.
 */
export function listenToOtherNodes(
  target: ListenTarget,
  node: string,
  listener: AnnouncementListener,
  notice: Notice,
) {
  const { url, setting } = target;
  const stop = new AbortController();
  let pause = FIRST_WAIT;
  let isMissed = false;

  const stopped = keepListening();
  return async (): Promise<void> => {
    stop.abort();
    await stopped;
  };

  async function keepListening(): Promise<void> {
    while (!stop.signal.aborted) {
      await listenUntilLost(await openConnection(url, stop.signal).catch(missed));
      await wait(pause * (0.5 + Math.random() / 2), undefined, { signal: stop.signal, ref: false }).catch(
        () => {},
      );
      pause = Math.min(pause * 2, LONGEST_WAIT);
    }
  }

  function missed(error: unknown): null {
    if (!isMissed && !stop.signal.aborted)
      notice(
        "warn",
        `${setting}: the connection for announcements can't be opened. Open pages learn late of what other nodes do; every request is checked anyway.`,
        error,
      );
    isMissed = true;
    return null;
  }

  async function listenUntilLost(connection: Connection | null): Promise<void> {
    if (connection === null) return;
    const { client, lost, cut } = connection;
    if (isMissed) notice("info", `${setting}: the connection for announcements is back.`);
    isMissed = false;
    pause = FIRST_WAIT;
    client.on("notification", ({ payload = "" }) => {
      const [accountId, from] = payload.split(" ");
      // This node's own pages knew at the commit.
      if (from !== node) listener(accountId || "everyone");
    });
    listener("everyone");
    try {
      for (;;) {
        await wait(ASKED_EVERY, undefined, { ref: false, signal: lost });
        await within(deadlineIn(ANSWER_LIMIT), client.query("select 1"));
      }
    } catch {
      cut();
    }
  }
}

/**
 * Whether a word sent by `announce` arrives within 5 s, on a connection opened for this test.
 * @throws if that connection can't be opened.
 */
export async function announcementsArrive(
  url: string,
  announce: (word: string) => Promise<unknown>,
): Promise<boolean> {
  const { client, cut } = await openConnection(url);
  try {
    const word = randomUUID();
    const heard = new Promise<true>((resolve) => {
      client.on("notification", ({ payload }) => payload === word && resolve(true));
    });
    await announce(word);
    return await within(deadlineIn(ANSWER_LIMIT), heard).catch(() => false);
  } finally {
    cut();
  }
}

/**
 * `lost` is a signal, since a promise would keep everything in memory that was ever raced against it.
 * Queries needn't watch it: when a connection is lost, the driver fails its queries.
 */
type Connection = { client: pg.Client; lost: AbortSignal; cut: () => void };

async function openConnection(url: string, stop?: AbortSignal): Promise<Connection> {
  const socket = new Socket();
  const cut = () => void socket.destroy();
  stop?.addEventListener("abort", cut);
  socket.once("close", () => stop?.removeEventListener("abort", cut));
  const client = new pg.Client({
    ...connectionConfig(url, () => socket),
    application_name: "latchkey-listener",
  });
  const lost = new AbortController();
  client.on("error", () => lost.abort()).on("end", () => lost.abort());
  try {
    await client.connect();
    await within(deadlineIn(ANSWER_LIMIT), client.query(`listen ${CHANNEL}`));
    return { client, lost: lost.signal, cut };
  } catch (error) {
    cut();
    throw error;
  }
}

/**
 * Tells other nodes which accounts' sessions have changed. This is done after the commit, not in the
 * transaction: PostgreSQL commits transactions with a NOTIFY one at a time in the whole cluster, each waiting
 * for the disk and the standby. Accounts that come while one NOTIFY is under way go with the next. It is only
 * a hint: failures aren't retried.
 */
export function tellOtherNodes(query: Kysely<Schema>, node: string) {
  let waiting = new Set<string>();
  let telling: Promise<void> | undefined;

  async function tellAll(): Promise<void> {
    while (waiting.size > 0) {
      const accountIds = [...waiting];
      waiting = new Set();
      await notify(query, node, accountIds).catch(() => {});
    }
    telling = undefined;
  }

  return {
    tell(accountIds: Iterable<string>): void {
      for (const accountId of accountIds) waiting.add(accountId);
      if (waiting.size > 0) telling ??= tellAll();
    },
    /** Resolves once all announcements are sent. */
    told: async () => telling,
  };
}

/** The transaction stores nothing, so its commit needn't wait for the disk or a standby. */
async function notify(query: Kysely<Schema>, node: string, accountIds: string[]): Promise<void> {
  await sql`
    with soon as materialized (select set_config('synchronous_commit', 'off', true))
    select pg_notify(${CHANNEL}, concat(id, ' ', cast(${node} as text))) from soon, unnest(cast(${accountIds} as text[])) as changed (id)`.execute(
    query,
  );
}
