import type { TestDatabase } from "../support/databases/engines.ts";

/** Each selects the rows that must not be there. */
const NEVER: Record<string, string> = {
  "sessions of no account": "select id from session where account_id not in (select id from account)",
  "sessions past their time limit": "select id from session where expires_at - created_at > 30 * 86400000.0",
  "accounts with more than 100 sessions":
    "select account_id from session group by account_id having count(*) > 100",
  // Accounts that their address's owner has disowned have none until they are reset.
  "accounts without a way to log in": `
    select id from account where password_hash is null
      and id not in (select account_id from passkey) and id not in (select account_id from oidc_identity)
      and not (email_verified_at is null and id not in (select account_id from session))`,
  "two accounts with one address": "select email_key from account group by email_key having count(*) > 1",
  "tokens that aren't hashes": "select id from session where length(token_hash) <> 32",
  "recovery codes without two-factor authentication":
    "select account_id from recovery_code where account_id not in (select account_id from two_factor)",
  "a session that is live and ended":
    "select session.id from session join ended_session on ended_session.token_hash = session.token_hash",
};

/** What is wrong with a database, in words. */
export async function faultsAtRest(database: TestDatabase): Promise<string[]> {
  const faults: string[] = [];
  for (const [words, sql] of Object.entries(NEVER)) {
    const found = await database.read(sql);
    if (found.length > 0) faults.push(`the database has ${words}: ${JSON.stringify(found.slice(0, 3))}`);
  }
  if (!database.url.startsWith("sqlite:")) return faults;
  const checked = await database.read("pragma integrity_check");
  const foreign = await database.read("pragma foreign_key_check");
  if (JSON.stringify(checked) !== '[{"integrity_check":"ok"}]')
    faults.push(`the file is damaged: ${JSON.stringify(checked)}`);
  if (foreign.length > 0) faults.push(`rows refer to nothing: ${JSON.stringify(foreign.slice(0, 3))}`);
  return faults;
}
