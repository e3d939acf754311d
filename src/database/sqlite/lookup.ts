import type { DatabaseSync } from "node:sqlite";
import type { FindSession, FoundSession } from "../database.ts";
import { FOUND_SESSION_COLUMNS, FOUND_SESSION_TABLES } from "../database.ts";
import { hashToken } from "../token-hash.ts";
import { asUnavailable } from "./faults.ts";
import { createPollPhase } from "./poll-phase.ts";
import { createRememberedSessions } from "./remembered-sessions.ts";

export type StrictLookUp = {
  find: FindSession;
  /** To be called as soon as a transaction of this process has ended, committed or not. */
  afterTransaction(): void;
  close(): void;
};

/**
 * The hot look-up. What it remembers is right at every moment, and no ending is missed:
 * - a commit of this process forgets exactly the sessions that it touched, by triggers on its one writing
 *   connection, so that no rule has to think of it;
 * - a commit of another process (the command line) forgets everything. `data_version` of the writing
 *   connection moves with those commits alone. It is asked once a poll phase: what is handled in a phase
 *   had arrived before it began (decisions/0004).
 * What isn't remembered is read in one snapshot a phase, for the same reason.
 */
export function strictLookUp(reading: DatabaseSync, writing: DatabaseSync): StrictLookUp {
  const find = reading.prepare(
    `select ${FOUND_SESSION_COLUMNS} from ${FOUND_SESSION_TABLES} where session.token_hash = ?`,
  );
  const begin = reading.prepare("begin");
  const end = reading.prepare("commit");
  const version = writing.prepare("pragma data_version");
  version.setReturnArrays(true);
  const remembered = createRememberedSessions();
  const touched = watchChanges(writing);
  const isNewPhase = createPollPhase();
  let seen: unknown;
  let isReading = false;

  function beginPhase(): void {
    endSnapshot();
    const [current] = version.get() as unknown as [number];
    if (current !== seen) remembered.clear();
    seen = current;
  }

  function read(token: string): FoundSession | undefined {
    if (!isReading) {
      begin.run();
      isReading = true;
      setImmediate(endSnapshot);
    }
    const row = find.get(hashToken(token));
    // A plain object: rows come without a prototype and in a slow form.
    return row && ({ ...row } as FoundSession);
  }

  function endSnapshot(): void {
    if (isReading) end.run();
    isReading = false;
  }

  return {
    find(token) {
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
    afterTransaction() {
      endSnapshot();
      for (const id of touched.sessions) remembered.forgetSession(id);
      for (const id of touched.accounts) remembered.forgetAccount(id);
      touched.sessions.clear();
      touched.accounts.clear();
    },
    close() {
      endSnapshot();
      reading.close();
    },
  };
}

/** Which sessions and accounts the writing connection changes; they are this connection's own triggers, not the file's. */
function watchChanges(writing: DatabaseSync): { sessions: Set<string>; accounts: Set<string> } {
  const sessions = new Set<string>();
  const accounts = new Set<string>();
  writing.function("session_changed", (id) => sessions.add(String(id)).size);
  writing.function("account_changed", (id) => accounts.add(String(id)).size);
  const on = (event: string, table: string, call: string) =>
    `create temp trigger ${table}_${event} after ${event} on ${table} begin select ${call}; end;`;
  writing.exec(
    [
      on("update", "session", "session_changed(old.id)"),
      on("delete", "session", "session_changed(old.id)"),
      on("update", "account", "account_changed(old.id)"),
      on("delete", "account", "account_changed(old.id)"),
      on("insert", "two_factor", "account_changed(new.account_id)"),
      on("update", "two_factor", "account_changed(old.account_id)"),
      on("delete", "two_factor", "account_changed(old.account_id)"),
    ].join("\n"),
  );
  return { sessions, accounts };
}
