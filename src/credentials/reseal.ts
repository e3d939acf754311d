import type { AccountParts } from "./parts.ts";

const ROWS_A_PAGE = 200;

export type Resealed = {
  /** Sealed anew with the newest key. */
  resealed: number;
  /** Sealed with a key that isn't there: such a second factor can't be given. */
  unreadable: number;
};

/**
 * Seals second factors that an older key of `new,old` holds with the newest one, so that the old one can be
 * taken out of the settings. In pages, each row by a guarded statement: one that changes meanwhile stays.
 */
export async function resealSecrets(
  { database, seal }: Pick<AccountParts, "database" | "seal">,
  stop?: AbortSignal,
): Promise<Resealed> {
  const done: Resealed = { resealed: 0, unreadable: 0 };
  for (let after = ""; !stop?.aborted; ) {
    const page = await database.read
      .selectFrom("two_factor")
      .select(["account_id", "secret"])
      .where("account_id", ">", after)
      .orderBy("account_id")
      .limit(ROWS_A_PAGE)
      .execute();
    for (const { account_id, secret } of page) {
      const held = seal.keyAge(secret, account_id);
      if (held === "none") done.unreadable += 1;
      if (held !== "an older key") continue;
      const sealed = seal.close(seal.open(secret, account_id), account_id);
      const written = await database.write(({ query }) =>
        query
          .updateTable("two_factor")
          .set({ secret: sealed })
          .where("account_id", "=", account_id)
          .where("secret", "=", secret)
          .returning("account_id")
          .executeTakeFirst(),
      );
      if (written) done.resealed += 1;
    }
    const last = page.at(-1);
    if (!last || page.length < ROWS_A_PAGE) break;
    after = last.account_id;
  }
  return done;
}
