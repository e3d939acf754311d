import ipaddr from "ipaddr.js";
import type { Networks } from "../options/kinds.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * The network that a request counts under: the address itself, or the /64 of an IPv6 one. Null where it
 * can't be known: nobody told, or a proxy that isn't declared speaks for everyone behind it.
 */
export function networkOf(
  remote: string | undefined,
  forwardedFor: string | null,
  trusted: Networks,
  onUndeclaredProxy: (remote: string) => void,
): string | null {
  const direct = remote === undefined ? null : readAddress(remote);
  if (!direct) return null;
  if (!isTrusted(direct, trusted)) {
    if (forwardedFor === null) return inNetwork(direct);
    onUndeclaredProxy(direct.toString());
    return null;
  }
  const hops = (forwardedFor ?? "").split(",").map((hop) => readAddress(hop.trim()));
  for (const hop of hops.reverse()) {
    if (!hop) break;
    if (!isTrusted(hop, trusted)) return inNetwork(hop);
  }
  return forwardedFor === null ? inNetwork(direct) : null;
}

/** Whether a peer is a proxy that LATCHKEY_TRUSTED_PROXIES names. */
export function isProxy(remote: string | undefined, trusted: Networks): boolean {
  const address = remote === undefined ? null : readAddress(remote);
  return address !== null && isTrusted(address, trusted);
}

function readAddress(text: string): Address | null {
  const bare = text.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1");
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : null;
}

function isTrusted(address: Address, trusted: Networks): boolean {
  return trusted.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
}

function inNetwork(address: Address): string {
  if (address.kind() === "ipv4") return address.toString();
  return `${address
    .toByteArray()
    .slice(0, 8)
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("")}/64`;
}
