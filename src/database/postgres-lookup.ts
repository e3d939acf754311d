import type { FoundSession } from "./database.ts";
import { DatabaseUnavailable, FOUND_SESSION_COLUMNS, FOUND_SESSION_TABLES } from "./database.ts";
import type { Pool } from "./postgres-pool.ts";
import { ask, giveBack, takeClient } from "./postgres-pool.ts";

/** More than two batches at once gain nothing: the third would only wait in the server. */
const BATCHES_UNDER_WAY = 2;
const TOKENS_A_BATCH = 2_000;
/** How long a look-up may wait for its turn and its answer together, in ms; then it is 503. */
const LOOK_UP_LIMIT = 5_000;

type Waiting = {
  key: string;
  tokenHash: Uint8Array;
  since: number;
  resolve: (session: FoundSession | undefined) => void;
  reject: (error: unknown) => void;
};

/**
 * Gathers the look-ups of one turn of the event loop into one query. It stays strict: a look-up is only
 * ever answered by a query that began after it was asked for.
 */
export function batchedLookUp(pool: Pool, options: { named: boolean; ready: () => Promise<void> }) {
  const text = `select session.token_hash as "tokenHash", ${FOUND_SESSION_COLUMNS} from ${FOUND_SESSION_TABLES} where session.token_hash = any($1)`;
  const waiting: Waiting[] = [];
  let underWay = 0;
  let scheduled = false;

  return (tokenHash: Uint8Array): Promise<FoundSession | undefined> =>
    new Promise((resolve, reject) => {
      const key = Buffer.from(tokenHash).toString("latin1");
      waiting.push({ key, tokenHash, since: performance.now(), resolve, reject });
      if (!scheduled) {
        scheduled = true;
        setImmediate(start);
      }
    });

  function start(): void {
    scheduled = false;
    while (underWay < BATCHES_UNDER_WAY && waiting.length > 0) {
      underWay += 1;
      void answer(waiting.splice(0, TOKENS_A_BATCH)).finally(() => {
        underWay -= 1;
        start();
      });
    }
  }

  async function answer(batch: Waiting[]): Promise<void> {
    const inTime = batch.filter((one) => performance.now() - one.since < LOOK_UP_LIMIT);
    for (const one of batch) {
      if (!inTime.includes(one)) one.reject(new DatabaseUnavailable("The look-up waited too long."));
    }
    try {
      const found = inTime.length > 0 ? await find(inTime) : new Map<string, FoundSession>();
      for (const one of inTime) one.resolve(found.get(one.key));
    } catch (error) {
      for (const one of inTime) one.reject(error);
    }
  }

  async function find(batch: Waiting[]): Promise<Map<string, FoundSession>> {
    await options.ready();
    const client = await takeClient(pool);
    try {
      const values = [batch.map((one) => one.tokenHash)];
      const name = options.named ? { name: "latchkey-find-session" } : {};
      const { rows } = await ask<FoundSession & { tokenHash: Buffer }>(client, { text, values, ...name });
      return new Map(rows.map((row) => [row.tokenHash.toString("latin1"), row]));
    } finally {
      giveBack(client);
    }
  }
}
