import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import pg from "pg";
import type { Hear } from "../announcements.ts";
import type { Notice } from "../database.ts";
import { deadlineIn, within } from "../deadline.ts";
import type { Schema } from "../schema.ts";
import { connectionConfig } from "./connection-config.ts";

export const CHANNEL = "latchkey_sessions";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;
/** How often the line is asked for a sign of life, and how long it may take, in ms. */
const ASKED_EVERY = 10_000;
const ANSWER_LIMIT = 5_000;

/** A direct line to the database, and the setting that names it. */
export type ListenLine = { url: string; setting: "DATABASE_URL" | "LATCHKEY_LISTEN_URL" };

/**
 * Holds one direct connection that listens for other nodes' announcements. A line that is lost, or silent
 * for 15 s, is taken up again, and then everyone looks, since what was said meanwhile is gone. The
 * operator hears once that it can't be opened, and once that it is back.
 */
export function listenToOtherNodes({ url, setting }: ListenLine, hear: Hear, notice: Notice) {
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
      await hold(await openLine(url, stop.signal).catch(missed));
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
        `${setting}: the connection for announcements can't be opened. Open pages hear of endings on other nodes late; every request is checked all the same.`,
        error,
      );
    isMissed = true;
    return null;
  }

  /** Until the line is lost. */
  async function hold(line: Line | null): Promise<void> {
    if (line === null) return;
    if (isMissed) notice("info", `${setting}: the connection for announcements is back.`);
    isMissed = false;
    pause = FIRST_WAIT;
    line.client.on("notification", (message) => hear(message.payload || "everyone"));
    hear("everyone");
    try {
      for (;;) {
        await Promise.race([wait(ASKED_EVERY, undefined, { ref: false }), line.lost]);
        await within(deadlineIn(ANSWER_LIMIT), Promise.race([line.client.query("select 1"), line.lost]));
      }
    } catch {
      line.cut();
    }
  }
}

/**
 * Whether a word that `announce` says arrives at another line within 5 s.
 * @throws where that line can't be opened.
 */
export async function announcementsArrive(
  url: string,
  announce: (word: string) => Promise<unknown>,
): Promise<boolean> {
  const line = await openLine(url);
  try {
    const word = randomUUID();
    const heard = new Promise<true>((resolve) => {
      line.client.on("notification", ({ payload }) => payload === word && resolve(true));
    });
    await announce(word);
    return await within(deadlineIn(ANSWER_LIMIT), heard).catch(() => false);
  } finally {
    line.cut();
  }
}

type Line = { client: pg.Client; lost: Promise<never>; cut: () => void };

async function openLine(url: string, stop?: AbortSignal): Promise<Line> {
  const socket = new Socket();
  const cut = () => void socket.destroy();
  stop?.addEventListener("abort", cut);
  socket.once("close", () => stop?.removeEventListener("abort", cut));
  const client = new pg.Client({
    ...connectionConfig(url, () => socket),
    application_name: "latchkey-listener",
  });
  const lost = new Promise<never>((_resolve, reject) => {
    client.on("error", reject).on("end", () => reject(new Error("The line has ended.")));
  });
  lost.catch(() => {});
  try {
    await client.connect();
    await within(deadlineIn(ANSWER_LIMIT), Promise.race([client.query(`listen ${CHANNEL}`), lost]));
    return { client, lost, cut };
  } catch (error) {
    cut();
    throw error;
  }
}

/**
 * Tells other nodes whose sessions have changed, after the commit: PostgreSQL lets one transaction with a
 * NOTIFY commit at a time, in the whole cluster, until the disk and the standby have it. What comes while
 * one is under way goes with the next. It is a hint, and one that fails is not said again.
 */
export function tellOtherNodes(query: Kysely<Schema>) {
  let waiting = new Set<string>();
  let telling: Promise<void> | undefined;

  async function tellAll(): Promise<void> {
    while (waiting.size > 0) {
      const accountIds = [...waiting];
      waiting = new Set();
      await notify(query, accountIds).catch(() => {});
    }
    telling = undefined;
  }

  return {
    tell(accountIds: Iterable<string>): void {
      for (const accountId of accountIds) waiting.add(accountId);
      if (waiting.size > 0) telling ??= tellAll();
    },
    /** Once all is said that was to be said. */
    told: async () => telling,
  };
}

/** Nothing is lost with it, so its commit waits neither for the disk nor for a standby. */
async function notify(query: Kysely<Schema>, accountIds: string[]): Promise<void> {
  await sql`
    with soon as materialized (select set_config('synchronous_commit', 'off', true))
    select pg_notify(${CHANNEL}, id) from soon, unnest(cast(${accountIds} as text[])) as changed (id)`.execute(
    query,
  );
}
