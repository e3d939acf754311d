import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import { inBatches } from "../batches.ts";
import { type FoundSession, findSessions, type LookedUp } from "../database.ts";
import { createRememberedSessions } from "../remembered-sessions.ts";
import type { Schema } from "../schema.ts";
import { hashToken } from "../token-hash.ts";
import { asUnavailable } from "./faults.ts";

/**
 * Looks up the sessions of requests, the hot path. The sessions that it remembers are never out of date:
 * - a commit of this process forgets exactly the sessions that it touched: triggers on the one writing
 *   connection note them, so that no other code has to remember to;
 * - a commit of another process (the command line) forgets everything. Only such commits change
 *   `data_version` of the writing connection. It is read once for all look-ups of a turn of the event loop,
 *   after the last of them was requested (decisions/0004).
 */
export function strictLookUp(reading: DatabaseSync, writing: DatabaseSync, query: Kysely<Schema>) {
  const byToken = findSessions(query).where("session.token_hash", "=", new Uint8Array());
  const find = reading.prepare(byToken.compile().sql);
  find.setReturnArrays(true);
  const toSession = rowReader(find.columns().map(({ name }) => name));
  const version = writing.prepare("pragma data_version");
  version.setReturnArrays(true);
  const remembered = createRememberedSessions();
  const touched = watchChanges(writing);
  let seen: unknown;

  function findAll(tokens: readonly string[]): LookedUp {
    const [current] = version.get() as unknown as [number];
    if (current !== seen) remembered.clear();
    seen = current;
    const found = tokens.map((token) => remembered.get(token));
    if (found.includes(undefined)) readInto(found, tokens);
    return found;
  }

  /** Reads the sessions that aren't remembered in one transaction, which is cheaper than one for each. */
  function readInto(found: (FoundSession | undefined)[], tokens: readonly string[]): void {
    reading.exec("begin");
    try {
      for (const [index, token] of tokens.entries()) found[index] ??= remembered.get(token) ?? read(token);
    } finally {
      // An I/O error has already ended the transaction.
      if (reading.isTransaction) reading.exec("commit");
    }
  }

  function read(token: string): FoundSession | undefined {
    const row = find.get(hashToken(token));
    if (!row) return undefined;
    const session = toSession(row as unknown as unknown[]);
    remembered.add(token, session);
    return session;
  }

  return {
    lookUp: inBatches(async (tokens) => {
      try {
        return findAll(tokens);
      } catch (error) {
        throw asUnavailable(error);
      }
    }),
    /** Must be called as soon as a transaction of this process has ended, committed or not. */
    afterTransaction(): void {
      for (const id of touched) remembered.forget(id);
      touched.clear();
    },
    close: () => reading.close(),
  };
}

/**
 * Makes sessions from rows read as arrays, since SQLite's row objects have no prototype and are slow to use.
 */
function rowReader(names: readonly string[]): (row: readonly unknown[]) => FoundSession {
  const empty = Object.fromEntries(names.map((name) => [name, null as unknown]));
  return (row) => {
    const found = { ...empty };
    for (const [index, name] of names.entries()) found[name] = row[index];
    return found as FoundSession;
  };
}

/** Collects the ids of sessions and accounts that the writing connection changes, by temporary triggers. */
function watchChanges(writing: DatabaseSync): Set<string> {
  const touched = new Set<string>();
  writing.function("note_session_change", (id) => touched.add(String(id)).size);
  const on = (event: string, table: string, id: string) =>
    `create temp trigger ${table}_${event} after ${event} on ${table} begin select note_session_change(${id}); end;`;
  writing.exec(
    [
      on("update", "session", "old.id"),
      on("delete", "session", "old.id"),
      on("update", "account", "old.id"),
      on("delete", "account", "old.id"),
      on("insert", "two_factor", "new.account_id"),
      on("update", "two_factor", "old.account_id"),
      on("delete", "two_factor", "old.account_id"),
    ].join("\n"),
  );
  return touched;
}
