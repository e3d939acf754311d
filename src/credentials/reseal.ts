import type { Write } from "../database/database.ts";
import { sealedFor } from "../mail/outgoing.ts";
import type { AccountParts } from "./parts.ts";

const ROWS_A_PAGE = 200;

export type Resealed = {
  /** Sealed anew with the newest key. */
  resealed: number;
  /** Sealed with a key that isn't there: such a second factor can't be given, such an email not sent. */
  unreadable: number;
};

type SealedRow = { id: string; sealed: Uint8Array };

/** A table with something sealed in it. */
type Source = {
  boundTo: (id: string) => string;
  page: (after: string) => Promise<SealedRow[]>;
  /** By a guarded statement: nothing where the row has changed meanwhile. */
  replace: (write: Write, row: SealedRow, sealed: Uint8Array) => Promise<unknown>;
};

/**
 * Seals anew, with the newest key, what an older key of `new,old` holds: second factors and emails that wait, so
 * that the old one can be taken out of the settings. In pages; a row that changes meanwhile stays.
 */
export async function resealSecrets(
  parts: Pick<AccountParts, "database" | "seal">,
  stop?: AbortSignal,
): Promise<Resealed> {
  const done: Resealed = { resealed: 0, unreadable: 0 };
  for (const source of [secondFactors(parts), waitingEmails(parts)]) {
    for (let after = ""; !stop?.aborted; ) {
      const page = await source.page(after);
      for (const row of page) await resealRow(parts, source, row, done);
      const last = page.at(-1);
      if (!last || page.length < ROWS_A_PAGE) break;
      after = last.id;
    }
  }
  return done;
}

async function resealRow(
  { database, seal }: Pick<AccountParts, "database" | "seal">,
  source: Source,
  row: SealedRow,
  done: Resealed,
): Promise<void> {
  const boundTo = source.boundTo(row.id);
  const age = seal.keyAge(row.sealed, boundTo);
  if (age === "none") done.unreadable += 1;
  if (age !== "an older key") return;
  const sealed = seal.close(seal.open(row.sealed, boundTo), boundTo);
  if (await database.write((write) => source.replace(write, row, sealed))) done.resealed += 1;
}

function secondFactors({ database }: Pick<AccountParts, "database">): Source {
  return {
    boundTo: (accountId) => accountId,
    page: (after) =>
      database.read
        .selectFrom("two_factor")
        .select(["account_id as id", "secret as sealed"])
        .where("account_id", ">", after)
        .orderBy("account_id")
        .limit(ROWS_A_PAGE)
        .execute(),
    replace: ({ query }, row, secret) =>
      query
        .updateTable("two_factor")
        .set({ secret })
        .where("account_id", "=", row.id)
        .where("secret", "=", row.sealed)
        .returning("account_id")
        .executeTakeFirst(),
  };
}

function waitingEmails({ database }: Pick<AccountParts, "database">): Source {
  return {
    boundTo: sealedFor,
    page: (after) =>
      database.read
        .selectFrom("outgoing_email")
        .select(["id", "sealed"])
        .where("id", ">", after)
        .orderBy("id")
        .limit(ROWS_A_PAGE)
        .execute(),
    replace: ({ query }, row, sealed) =>
      query
        .updateTable("outgoing_email")
        .set({ sealed })
        .where("id", "=", row.id)
        .where("sealed", "=", row.sealed)
        .returning("id")
        .executeTakeFirst(),
  };
}
