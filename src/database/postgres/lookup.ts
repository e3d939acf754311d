import type { FoundSession, Notice } from "../database.ts";
import { DatabaseUnavailable, FOUND_SESSION_COLUMNS, FOUND_SESSION_TABLES } from "../database.ts";
import type { Deadline } from "../deadline.ts";
import { deadlineIn, within } from "../deadline.ts";
import { isLostName } from "./faults.ts";
import type { Pool } from "./pool.ts";
import { ask, giveBack, takeClient } from "./pool.ts";

/** More than two batches at once gain nothing: the third would only wait in the server. */
const BATCHES_UNDER_WAY = 2;
const TOKENS_A_BATCH = 2_000;
/** How long a look-up may take from the moment it is asked, whatever it waits for, in ms; then it is 503. */
const LOOK_UP_LIMIT = 5_000;

type Waiting = {
  key: string;
  tokenHash: Uint8Array;
  deadline: Deadline;
  /** Refused already, since its time was over before its turn came. */
  isOver: boolean;
  answer: (session: FoundSession | undefined) => void;
  fail: (error: unknown) => void;
};

/**
 * Gathers the look-ups of one turn of the event loop into one query. It stays strict: a look-up is only
 * ever answered by a query that began after it was asked for.
 */
export function batchedLookUp(
  pool: Pool,
  options: { named: boolean; ready: () => Promise<void>; notice: Notice },
) {
  const text = `select session.token_hash as "tokenHash", ${FOUND_SESSION_COLUMNS} from ${FOUND_SESSION_TABLES} where session.token_hash = any($1)`;
  const waiting: Waiting[] = [];
  let { named } = options;
  let underWay = 0;
  let scheduled = false;

  return (tokenHash: Uint8Array): Promise<FoundSession | undefined> =>
    new Promise((resolve, reject) => {
      waiting.push(waitingFor(tokenHash, resolve, reject));
      if (!scheduled) {
        scheduled = true;
        setImmediate(start);
      }
    });

  function start(): void {
    scheduled = false;
    while (underWay < BATCHES_UNDER_WAY && waiting.length > 0) {
      const batch = waiting.splice(0, TOKENS_A_BATCH).filter((one) => !one.isOver);
      if (batch.length === 0) continue;
      underWay += 1;
      void answer(batch).finally(() => {
        underWay -= 1;
        start();
      });
    }
  }

  async function answer(batch: Waiting[]): Promise<void> {
    try {
      const found = await find(batch);
      for (const one of batch) one.answer(found.get(one.key));
    } catch (error) {
      for (const one of batch) one.fail(error);
    }
  }

  /** Goes on until the time of the last of the batch is over; each gives up by itself before. */
  async function find(batch: Waiting[]): Promise<Map<string, FoundSession>> {
    const deadline = batch.at(-1)?.deadline ?? 0;
    await within(deadline, options.ready());
    const client = await takeClient(pool, deadline);
    try {
      const values = [batch.map((one) => one.tokenHash)];
      const name = named ? { name: "latchkey-find-session" } : {};
      const query = { text, values, ...name };
      const { rows } = await ask<FoundSession & { tokenHash: Buffer }>(client, query, deadline);
      return new Map(rows.map((row) => [row.tokenHash.toString("latin1"), row]));
    } catch (error) {
      if (!isLostName(error)) throw error;
      if (named)
        options.notice(
          "warn",
          "DATABASE_URL goes through a pooler that can't keep statements: set LATCHKEY_LISTEN_URL to a direct line. Going on without.",
        );
      named = false;
    } finally {
      giveBack(client);
    }
    return find(batch);
  }
}

function waitingFor(
  tokenHash: Uint8Array,
  resolve: (session: FoundSession | undefined) => void,
  reject: (error: unknown) => void,
): Waiting {
  const timer = setTimeout(() => {
    one.isOver = true;
    reject(new DatabaseUnavailable("The database did not answer in time."));
  }, LOOK_UP_LIMIT);
  const one: Waiting = {
    key: Buffer.from(tokenHash).toString("latin1"),
    tokenHash,
    deadline: deadlineIn(LOOK_UP_LIMIT),
    isOver: false,
    answer(session) {
      clearTimeout(timer);
      resolve(session);
    },
    fail(error) {
      clearTimeout(timer);
      reject(error);
    },
  };
  return one;
}
