import { type Kysely, sql } from "kysely";
import { inBatches } from "../batches.ts";
import { type FoundSession, findSessions, type LookedUp, type LookUp, type Notice } from "../database.ts";
import { type Deadline, within } from "../deadline.ts";
import { createRememberedSessions } from "../remembered-sessions.ts";
import type { Schema } from "../schema.ts";
import { hashToken } from "../token-hash.ts";
import { type Changes, createChangeQuestion } from "./changes.ts";
import { isLostName } from "./faults.ts";
import { ask, type Client, giveBack, type Pool, takeClient } from "./pool.ts";

/**
 * Looks up the sessions of requests, the hot path. No answer is older than its question, whichever node,
 * or person at the database, ends a session. Before it uses remembered sessions, it asks the database what
 * has changed since the last time: one small question for all look-ups of a turn of the event loop. It then
 * reads only sessions that it doesn't remember, or that have changed (decisions/0004).
 */
export function strictLookUp(
  pool: Pool,
  options: { named: boolean; ready: () => Promise<void>; notice: Notice; read: Kysely<Schema> },
): LookUp {
  const { changed, find } = createStatements(options);
  const remembered = createRememberedSessions();

  return inBatches(async (tokens, deadline) => {
    await within(deadline, options.ready());
    const client = await takeClient(pool, deadline);
    try {
      return await findAll(client, tokens, deadline);
    } finally {
      giveBack(client);
    }
  });

  async function findAll(client: Client, tokens: readonly string[], deadline: Deadline): Promise<LookedUp> {
    if (tokens.some((token) => remembered.get(token))) forget(await changed(client, deadline));
    const found = tokens.map((token) => remembered.get(token));
    const unknown = new Set(tokens.filter((_, index) => !found[index]));
    if (unknown.size === 0) return found;
    // These rows are read after the last answer about changes, so the next question covers every later
    // change.
    const read = await find(client, [...unknown], deadline);
    for (const [token, session] of read) remembered.add(token, session);
    return found.map((session, index) => session ?? read.get(tokens[index] as string));
  }

  function forget(ids: Changes): void {
    if (ids === "everything") remembered.clear();
    else for (const id of ids) remembered.forget(id);
  }
}

/** The two statements of a look-up, prepared by name until a pooler turns out not to support that. */
function createStatements({ named, notice, read }: Parameters<typeof strictLookUp>[1]) {
  const askWhatChanged = createChangeQuestion(notice);
  const byTokens = findSessions(read)
    .select("session.token_hash as tokenHash")
    .where(sql<boolean>`session.token_hash = any(${[]})`)
    .compile().sql;
  let isNamed = named;

  async function inNames<T>(work: (name: (of: string) => { name?: string }) => Promise<T>): Promise<T> {
    try {
      return await work((of) => (isNamed ? { name: of } : {}));
    } catch (error) {
      if (!isLostName(error)) throw error;
      if (isNamed)
        notice(
          "warn",
          "DATABASE_URL goes through a pooler that can't keep statements: set LATCHKEY_LISTEN_URL to a direct connection. Going on without.",
        );
      isNamed = false;
      return work(() => ({}));
    }
  }

  return {
    changed: (client: Client, deadline: Deadline) =>
      inNames((name) => askWhatChanged(client, name("latchkey-changed"), deadline)),
    find: (client: Client, tokens: readonly string[], deadline: Deadline) =>
      inNames((name) =>
        readSessions(client, { text: byTokens, ...name("latchkey-find-session") }, tokens, deadline),
      ),
  };
}

async function readSessions(
  client: Client,
  statement: { text: string; name?: string },
  tokens: readonly string[],
  deadline: Deadline,
): Promise<ReadonlyMap<string, FoundSession>> {
  const hashes = tokens.map(hashToken);
  const byHash = new Map(hashes.map((hash, index) => [inLatin1(hash), tokens[index]]));
  const query = { ...statement, values: [hashes] };
  const { rows } = await ask<FoundSession & { tokenHash: Buffer }>(client, query, deadline);
  const found = new Map<string, FoundSession>();
  for (const { tokenHash, ...session } of rows) {
    const token = byHash.get(inLatin1(tokenHash));
    if (token !== undefined) found.set(token, session);
  }
  return found;
}

function inLatin1(hash: Uint8Array): string {
  return Buffer.from(hash).toString("latin1");
}
