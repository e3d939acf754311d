import { findByDevice, isKnownDevice } from "../../sessions/known-device.ts";
import type { ClientInfo } from "../../sessions/start.ts";
import { hashToken } from "../../sessions/token.ts";
import type { EmailAddress } from "../email-address.ts";
import type { AccountParts } from "../parts.ts";
import type { Limit } from "./attempts.ts";

/**
 * The limit of the network that a request comes from. A peer that may speak for many can be used up by any
 * of them; a browser that the account knows is let past it: null.
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
 * The limit on the resets that are asked for an address, or for what was `typed` and is none. A browser that its
 * account knows counts for itself, so that a stranger who asks again and again doesn't keep the owner from asking there.
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
