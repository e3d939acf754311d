import { sql } from "kysely";
import type { Write } from "../database/database.ts";
import { sealedFor } from "../mail/outgoing.ts";
import type { AccountParts } from "./parts.ts";

const ROWS_A_PAGE = 200;

export type Resealed = {
  /** How many were sealed again with the newest key. */
  resealed: number;
  /** How many are sealed with a missing key: such second factors can't be checked, such emails not sent. */
  unreadable: number;
};

/**
 * Where sealed values are stored: table and columns, what the seal of a row is bound to, and which rows are
 * in use. A second factor that was never confirmed isn't in use: its set-up can be started again.
 */
const SEALED = [
  {
    table: "two_factor",
    id: "account_id",
    sealed: "secret",
    boundTo: (accountId: string) => accountId,
    inUse: sql<boolean>`confirmed_at is not null`,
  },
  { table: "outgoing_email", id: "id", sealed: "sealed", boundTo: sealedFor, inUse: sql<boolean>`1 = 1` },
] as const;

type Place = (typeof SEALED)[number];
type SealedRow = { id: string; sealed: Uint8Array; inUse: boolean | number };
type Parts = Pick<AccountParts, "database" | "seal">;

/** How many sealed values there are, and how many of them none of this node's keys opens. */
export type Sealed = { all: number; unreadable: number };

/** Counts all sealed values by trying to open each of them. */
export async function countSealed(parts: Parts): Promise<{ secondFactors: Sealed; waitingEmails: Sealed }> {
  const count = async (place: Place): Promise<Sealed> => {
    const counted: Sealed = { all: 0, unreadable: 0 };
    for await (const row of readAll(parts, place)) {
      if (!row.inUse) continue;
      counted.all += 1;
      if (parts.seal.keyAge(row.sealed, place.boundTo(row.id)) === "none") counted.unreadable += 1;
    }
    return counted;
  };
  const [secondFactors, waitingEmails] = SEALED;
  return { secondFactors: await count(secondFactors), waitingEmails: await count(waitingEmails) };
}

/** Whether this node's keys open the second factors. Checks one page only, to be quick at the start. */
export async function opensSecondFactors(parts: Parts): Promise<boolean> {
  const [secondFactors] = SEALED;
  const page = await readPage(parts, secondFactors, "");
  return page.every(
    ({ id, sealed, inUse }) => !inUse || parts.seal.keyAge(sealed, secondFactors.boundTo(id)) !== "none",
  );
}

/**
 * Seals again, with the newest key, what an older key of `new,old` has sealed (second factors and waiting
 * emails), so that the old key can be removed from the settings. A row that changes meanwhile is left as it
 * is.
 */
export async function resealSecrets(parts: Parts, stop?: AbortSignal): Promise<Resealed> {
  const done: Resealed = { resealed: 0, unreadable: 0 };
  for (const place of SEALED)
    for await (const row of readAll(parts, place, stop)) await resealRow(parts, place, row, done);
  return done;
}

/** Reads all rows of a place in `SEALED`, page by page. */
async function* readAll(parts: Parts, place: Place, stop?: AbortSignal): AsyncGenerator<SealedRow> {
  for (let after = ""; !stop?.aborted; ) {
    const page = await readPage(parts, place, after);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < ROWS_A_PAGE) break;
    after = last.id;
  }
}

async function readPage({ database }: Parts, place: Place, after: string): Promise<SealedRow[]> {
  const [table, id, sealed] = [sql.table(place.table), sql.ref(place.id), sql.ref(place.sealed)];
  const page = sql<SealedRow>`
    select ${id} as id, ${sealed} as sealed, ${place.inUse} as "inUse" from ${table}
      where ${id} > ${after} order by ${id} limit ${ROWS_A_PAGE}`;
  return (await page.execute(database.read)).rows;
}

async function resealRow(parts: Parts, place: Place, row: SealedRow, done: Resealed): Promise<void> {
  const { database, seal } = parts;
  const boundTo = place.boundTo(row.id);
  const age = seal.keyAge(row.sealed, boundTo);
  if (age === "none") done.unreadable += 1;
  if (age !== "an older key") return;
  const sealed = seal.close(seal.open(row.sealed, boundTo), boundTo);
  if (await database.write((write) => replace(write, place, row, sealed))) done.resealed += 1;
}

/** Replaces a sealed value; false if the row has changed meanwhile. */
async function replace({ query }: Write, place: Place, row: SealedRow, sealed: Uint8Array): Promise<boolean> {
  const [table, id, column] = [sql.table(place.table), sql.ref(place.id), sql.ref(place.sealed)];
  const update = sql`
    update ${table} set ${column} = ${sealed}
      where ${id} = ${row.id} and ${column} = ${row.sealed} returning ${id}`;
  return (await update.execute(query)).rows.length > 0;
}
