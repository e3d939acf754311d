import type { Kysely } from "kysely";
import { reservedAddresses } from "../credentials/account.ts";
import type { Schema } from "../database/schema.ts";
import type { LeftOut } from "./report.ts";
import type { ValidAccount, ValidIdentity, ValidSession } from "./validate.ts";

/** Remembers where in the source each unique value of this run was first found. */
export class SeenBefore {
  readonly #first = new Map<string, string>();

  /** Returns the earlier place that has this value; null if `where` is the first. */
  claim(kind: "id" | "address" | "identity" | "session", name: string, where: string): string | null {
    const key = `${kind} ${name}`;
    const first = this.#first.get(key) ?? where;
    this.#first.set(key, first);
    return first === where ? null : first;
  }
}

export type Sorted = { newAccounts: ValidAccount[]; alreadyHere: number; leftOut: LeftOut[] };

/**
 * Sorts a batch, by the database and the run so far, into accounts that are new, that exist already, and that are
 * left out, such as when another account has the same id or address.
 */
export async function sortNewAccounts(
  query: Kysely<Schema>,
  batch: readonly ValidAccount[],
  seen: SeenBefore,
  now: number,
): Promise<Sorted> {
  const sorted: Sorted = { newAccounts: [], alreadyHere: 0, leftOut: [] };
  if (batch.length === 0) return sorted;
  const accounts = await accountsHere(query, batch, now);
  const identities = await identitiesHere(query, batch);
  const sessions = await sessionsHere(query, batch);
  for (const one of batch) {
    const { where } = one;
    const why = duplicateOf(one, seen) ?? accounts.whyNot(one) ?? one.refused;
    if (why === "already here") sorted.alreadyHere += 1;
    else if (why !== null) sorted.leftOut.push({ where, what: "account", why });
    else {
      const account = withFreeIdentities(one, identities, seen);
      const newAccount = withFreeSessions(account, sessions, seen);
      sorted.newAccounts.push(newAccount);
      sorted.leftOut.push(...newAccount.without);
    }
  }
  return sorted;
}

function duplicateOf({ id, address, where }: ValidAccount, seen: SeenBefore): string | null {
  const onlyFirst = (first: string) => `Only ${first}, which came first, can be imported.`;
  const sameId = id === null ? null : seen.claim("id", id, where);
  if (sameId !== null) return `Its id is also that of ${sameId}. ${onlyFirst(sameId)}`;
  const same = seen.claim("address", address.key, where);
  return same && `Its address is also that of ${same}, since capitals don't count. ${onlyFirst(same)}`;
}

/** Stands in for an empty list, which PostgreSQL refuses: no row has the empty string as its key. */
const NONE = "";

async function accountsHere(query: Kysely<Schema>, batch: readonly ValidAccount[], now: number) {
  const ids = [NONE, ...batch.flatMap(({ id }) => (id === null ? [] : [id]))];
  const keys = batch.map(({ address }) => address.key);
  const rows = await query
    .selectFrom("account")
    .select(["id", "email_key"])
    .where((either) => either.or([either("id", "in", ids), either("email_key", "in", keys)]))
    .execute();
  const reserved = await reservedAddresses(query, keys, now);
  const keyOf = new Map(rows.map((row) => [row.id, row.email_key]));
  const moved = await withNewAddress(
    query,
    batch.flatMap(({ id, address }) => (id !== null && keyOf.get(id) !== address.key ? [id] : [])),
  );
  const taken = new Set(rows.map((row) => row.email_key));
  return {
    whyNot({ id, address }: ValidAccount): string | null {
      const keyHere = id === null ? undefined : keyOf.get(id);
      if (id !== null && moved.has(id)) return "already here";
      if (keyHere !== undefined && keyHere !== address.key)
        return "An account with its id is here already, with another address.";
      if (keyHere !== undefined || (id === null && taken.has(address.key))) return "already here";
      if (taken.has(address.key)) return "Its address has an account here already, with another id.";
      return reserved.has(address.key) ? "Its address is kept for an account that left it lately." : null;
    },
  };
}

/** The accounts whose owner has changed the address in Latchkey. The id alone may come from another old system. */
async function withNewAddress(query: Kysely<Schema>, ids: readonly string[]): Promise<Set<string>> {
  const rows = await query
    .selectFrom("activity")
    .select("account_id")
    .distinct()
    .where("account_id", "in", [NONE, ...ids])
    .where("kind", "=", "email_changed")
    .execute();
  return new Set(rows.map((row) => row.account_id));
}

async function identitiesHere(query: Kysely<Schema>, batch: readonly ValidAccount[]): Promise<Set<string>> {
  const asked = batch.flatMap(({ identities }) => identities);
  const issuers = [NONE, ...new Set(asked.map(({ issuer }) => issuer))];
  const subjects = [NONE, ...asked.map(({ subject }) => subject)];
  const rows = await query
    .selectFrom("oidc_identity")
    .select(["issuer", "subject"])
    .where("issuer", "in", issuers)
    .where("subject", "in", subjects)
    .execute();
  return new Set(rows.map(nameOfIdentity));
}

function withFreeIdentities(one: ValidAccount, here: ReadonlySet<string>, seen: SeenBefore): ValidAccount {
  const { where } = one;
  const own = new Map(one.identities.map((identity) => [nameOfIdentity(identity), identity]));
  const without = [...one.without];
  for (const [name, { provider }] of own) {
    const owner = seen.claim("identity", name, where) ?? (here.has(name) ? "an account here" : null);
    if (owner === null) continue;
    own.delete(name);
    without.push({ where, what: "login method", why: `Who it is at "${provider}" belongs to ${owner}.` });
  }
  return { ...one, identities: [...own.values()], without };
}

const HASHES_A_STATEMENT = 400;

/** Sessions that are live or have ended in Latchkey: an import must not start them again. */
async function sessionsHere(query: Kysely<Schema>, batch: readonly ValidAccount[]): Promise<Set<string>> {
  const hashes = batch.flatMap(({ sessions }) => sessions.map(({ tokenHash }) => tokenHash));
  const names = new Set<string>();
  for (let start = 0; start < hashes.length; start += HASHES_A_STATEMENT) {
    const some = hashes.slice(start, start + HASHES_A_STATEMENT);
    for (const table of ["session", "ended_session"] as const) {
      const rows = await query
        .selectFrom(table)
        .select("token_hash as tokenHash")
        .where("token_hash", "in", some)
        .execute();
      for (const row of rows) names.add(nameOfSession(row));
    }
  }
  return names;
}

function withFreeSessions(one: ValidAccount, here: ReadonlySet<string>, seen: SeenBefore): ValidAccount {
  const { where } = one;
  const own = new Map(one.sessions.map((session) => [nameOfSession(session), session]));
  const without = [...one.without];
  for (const name of own.keys()) {
    const first = seen.claim("session", name, where);
    if (first === null && !here.has(name)) continue;
    own.delete(name);
    const why =
      first === null ? "was imported before" : `is also that of a session of ${first}, which came first`;
    without.push({ where, what: "session", why: `Its token ${why}.` });
  }
  return { ...one, sessions: [...own.values()], without };
}

const nameOfIdentity = ({ issuer, subject }: Pick<ValidIdentity, "issuer" | "subject">) =>
  `${issuer} ${subject}`;

const nameOfSession = ({ tokenHash }: Pick<ValidSession, "tokenHash">) =>
  Buffer.from(tokenHash).toString("base64");
