import type { AccountParts } from "../credentials/parts.ts";
import type { Found } from "./incoming.ts";
import { SeenBefore, sortNewAccounts } from "./new-accounts.ts";
import { emptyReport, type LeftOut, type Report } from "./report.ts";
import { type ImportOptions, type ValidAccount, validateAccount } from "./validate.ts";
import { writeNewAccounts } from "./write-new-accounts.ts";

/** Receives the events of a running import. */
export type ImportListener = {
  leftOut(one: LeftOut): void;
  /** How many entries of the source have been read. */
  progress(done: number): void;
};

/** A batch is one transaction: a server that runs meanwhile can write between two of them. */
const ACCOUNTS_A_BATCH = 200;
/** How often a batch is tried if sign-ups keep taking addresses in it. */
const TRIES = 5;

/**
 * Imports accounts. Accounts that exist already are left unchanged, so a second run changes nothing, and an
 * interrupted import is finished by running it again. A dry run writes nothing.
 */
export async function importAccounts(
  parts: AccountParts,
  found: AsyncIterable<Found>,
  options: ImportOptions,
  listener: ImportListener,
): Promise<Report> {
  const report = emptyReport();
  const seen = new SeenBefore();
  let done = 0;
  let batch: (ValidAccount | LeftOut)[] = [];
  const finishBatch = async () => {
    for (const one of await importBatch(parts, batch, seen, options, report)) {
      report.leftOut[one.what === "account" ? "accounts" : "parts"] += 1;
      listener.leftOut(one);
    }
    batch = [];
  };
  for await (const one of found) {
    done += 1;
    batch.push(validateAccount(parts, one, options, parts.settings.now()));
    if (batch.length === ACCOUNTS_A_BATCH) await finishBatch();
    listener.progress(done);
  }
  await finishBatch();
  return report;
}

/** Imports a batch. Returns what was left out, in the order of the source. */
async function importBatch(
  parts: AccountParts,
  batch: readonly (ValidAccount | LeftOut)[],
  seen: SeenBefore,
  { dryRun }: ImportOptions,
  report: Report,
): Promise<LeftOut[]> {
  const now = parts.settings.now();
  const valid = batch.filter((one): one is ValidAccount => !("why" in one));
  const order = batch.map(({ where }) => where);
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const { newAccounts, alreadyHere, leftOut } = await sortNewAccounts(
      parts.database.read,
      valid,
      seen,
      now,
    );
    const done = dryRun || newAccounts.length === 0 || (await writeNewAccounts(parts, newAccounts, now));
    if (!done) continue;
    report.alreadyHere += alreadyHere;
    count(report, newAccounts);
    const all = [...batch.filter((one): one is LeftOut => "why" in one), ...leftOut];
    return all.sort((one, other) => order.indexOf(one.where) - order.indexOf(other.where));
  }
  throw new Error("Others kept taking what the import was about to write; run it again.");
}

function count(report: Report, newAccounts: readonly ValidAccount[]): void {
  for (const { passwordHash, totpSecret, identities, sessions } of newAccounts) {
    report.accounts += 1;
    report.passwords += passwordHash === null ? 0 : 1;
    report.twoFactors += totpSecret === null ? 0 : 1;
    report.loginMethods += identities.length;
    report.sessions += sessions.length;
  }
}
