import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import { type FoundSession, findSessions } from "../database.ts";
import { createRememberedSessions } from "../remembered-sessions.ts";
import type { Schema } from "../schema.ts";
import { hashToken } from "../token-hash.ts";
import { asUnavailable } from "./faults.ts";
import { createPollPhase } from "./poll-phase.ts";

/**
 * The hot look-up. What it remembers is right at every moment, and no ending is missed:
 * - a commit of this process forgets exactly the sessions that it touched, by triggers on its one writing
 *   connection, so that no rule has to think of it;
 * - a commit of another process (the command line) forgets everything. `data_version` of the writing
 *   connection moves with those commits alone. It is asked once a poll phase: what is handled in a phase
 *   had arrived before it began (decisions/0004).
 * What isn't remembered is read in one snapshot a phase, for the same reason.
 */
export function strictLookUp(reading: DatabaseSync, writing: DatabaseSync, query: Kysely<Schema>) {
  const byToken = findSessions(query).where("session.token_hash", "=", new Uint8Array());
  const find = reading.prepare(byToken.compile().sql);
  find.setReturnArrays(true);
  const toSession = rowReader(find.columns().map(({ name }) => name));
  const snapshot = createSnapshot(reading);
  const version = writing.prepare("pragma data_version");
  version.setReturnArrays(true);
  const remembered = createRememberedSessions();
  const touched = watchChanges(writing);
  const isNewPhase = createPollPhase();
  let seen: unknown;

  function beginPhase(): void {
    snapshot.end();
    const [current] = version.get() as unknown as [number];
    if (current !== seen) remembered.clear();
    seen = current;
  }

  function read(token: string): FoundSession | undefined {
    snapshot.begin();
    const row = find.get(hashToken(token));
    return row && toSession(row as unknown as unknown[]);
  }

  return {
    find(token: string): FoundSession | undefined {
      try {
        if (isNewPhase()) beginPhase();
        const known = remembered.get(token);
        if (known) return known;
        const found = read(token);
        if (found) remembered.add(token, found);
        return found;
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    /** To be called as soon as a transaction of this process has ended, committed or not. */
    afterTransaction(): void {
      snapshot.end();
      for (const id of touched) remembered.forget(id);
      touched.clear();
    },
    close(): void {
      snapshot.end();
      reading.close();
    },
  };
}

/** One snapshot for all reads of a turn of the event loop; it ends with the turn, if not before. */
function createSnapshot(reading: DatabaseSync) {
  const begin = reading.prepare("begin");
  const commit = reading.prepare("commit");
  let isOpen = false;
  const end = () => {
    if (isOpen) commit.run();
    isOpen = false;
  };
  return {
    begin(): void {
      if (isOpen) return;
      begin.run();
      isOpen = true;
      setImmediate(end);
    },
    end,
  };
}

/** Makes sessions of rows that come as arrays: as objects they would come without a prototype, and in a slow form. */
function rowReader(names: readonly string[]): (row: readonly unknown[]) => FoundSession {
  const empty = Object.fromEntries(names.map((name) => [name, null as unknown]));
  return (row) => {
    const found = { ...empty };
    for (const [index, name] of names.entries()) found[name] = row[index];
    return found as FoundSession;
  };
}

/** The ids of sessions and accounts that the writing connection changes, by temporary triggers that are not in the file. */
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
