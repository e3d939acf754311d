import { findByDevice, isKnownDevice } from "../../sessions/known-device.ts";
import type { ClientInfo } from "../../sessions/start.ts";
import { hashToken } from "../../sessions/token.ts";
import type { EmailAddress } from "../email-address.ts";
import type { AccountParts } from "../parts.ts";
import type { Limit } from "./attempts.ts";

/**
 * The limit for the network that a request comes from. Null if the browser is known to the account and the
 * peer may be a proxy for many visitors: one of them could use up the limit for all.
 */
export async function networkLimit(
  parts: AccountParts,
  kind: Limit["kind"],
  { network, deviceToken, isReturning }: ClientInfo,
  account?: { id: string } | { emailKey: string } | null,
): Promise<Limit | null> {
  if (account && network.generous && isReturning) {
    const device = hashToken(deviceToken);
    const { read } = parts.database;
    const isKnown =
      "id" in account
        ? await isKnownDevice(read, account.id, device)
        : (await findByDevice(read, account.emailKey, device)) !== undefined;
    if (isKnown) return null;
  }
  return { kind, ...network };
}

/**
 * The limit on password resets for an address, or for what was `typed` if it isn't an address. A browser that
 * the account knows has a count of its own, so that a stranger's requests don't lock out the owner there.
 */
export async function resetLimit(
  parts: AccountParts,
  { typed, address }: { typed: string; address: EmailAddress | null },
  { deviceToken, isReturning }: ClientInfo,
): Promise<Limit> {
  const device = isReturning && address !== null ? hashToken(deviceToken) : null;
  const known = address && device && (await findByDevice(parts.database.read, address.key, device));
  const own = known ? `:${Buffer.from(device).toString("base64url")}` : "";
  return { kind: "email", of: `reset:${address?.key ?? typed}${own}` };
}
