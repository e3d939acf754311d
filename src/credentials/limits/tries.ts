import type { Write } from "../../database/database.ts";
import type { Account } from "../../database/lock.ts";
import type { Refusal } from "../../refusals.ts";
import { isKnownDevice } from "../../sessions/known-device.ts";
import type { AccountParts } from "../parts.ts";
import type { Limit } from "./attempts.ts";

/** Limits the password tries of one browser. Its methods are those of `Attempts`. */
export type Tries = Awaited<ReturnType<typeof passwordTries>>;

/**
 * A browser that the account knows has a count of its own, so that a stranger's guesses can't lock the owner
 * out. All other browsers share one count under `name` and one per account and day. Tries at an account that
 * doesn't exist are counted in the same way.
 */
export async function passwordTries(
  { attempts, database }: AccountParts,
  of: {
    account: Account | undefined;
    name: string;
    deviceHash: Uint8Array | null;
    network?: Limit;
  },
) {
  const { account, name, deviceHash } = of;
  const known = account ? await knownDevice(database, account.id, deviceHash) : null;
  const own: Limit = known
    ? { kind: "password_known_device", of: `${name}:${known}` }
    : { kind: "password", of: name };
  const daily: Limit | null = known ? null : { kind: "password_unknown_devices", of: account?.id ?? name };
  // A proxy whose visitors have used up its limit doesn't keep out a browser that the account knows.
  const network = known && of.network?.generous ? null : (of.network ?? null);
  return {
    /** The limit that this browser's tries count against. */
    own,
    refusal: (now: number) => attempts.refusal([own, network, daily], now),
    async take(now: number): Promise<Refusal | null> {
      const tooMany = await attempts.take([own, network], now);
      // Only a password that gets as far as being checked counts against the daily limit.
      return tooMany ?? attempts.take([daily], now);
    },
    async release(write: Write): Promise<void> {
      await attempts.release(write, own);
      await attempts.giveBack(write, network);
      await attempts.giveBack(write, daily);
    },
  };
}

/** Resets the counts of browsers that the account doesn't know, once its password has changed. */
export async function forgetWrongPasswords(
  { attempts }: AccountParts,
  write: Write,
  account: Account,
): Promise<void> {
  await attempts.release(write, { kind: "password", of: account.email_key });
  await attempts.release(write, { kind: "password_unknown_devices", of: account.id });
}

/** The limit on tries at a second factor; a browser that the account knows has its own count here too. */
export async function secondFactorTries(
  { database }: AccountParts,
  accountId: string,
  deviceHash: Uint8Array | null,
): Promise<Limit> {
  const known = await knownDevice(database, accountId, deviceHash);
  return known
    ? { kind: "second_factor_known_device", of: `${accountId}:${known}` }
    : { kind: "second_factor", of: accountId };
}

async function knownDevice(
  database: AccountParts["database"],
  accountId: string,
  deviceHash: Uint8Array | null,
): Promise<string | null> {
  if (deviceHash === null || !(await isKnownDevice(database.read, accountId, deviceHash))) return null;
  return Buffer.from(deviceHash).toString("base64url");
}
