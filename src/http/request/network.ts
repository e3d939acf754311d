import ipaddr from "ipaddr.js";
import type { Networks } from "../../options/kinds.ts";
import type { Settings } from "../../options/options.ts";
import type { Network } from "../../sessions/start.ts";
import type { RequestHead } from "./request-head.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * The network under which a request counts for limits: the IPv4 address, or the /64 of an IPv6 address. A
 * peer that may speak for many visitors counts as one, with generous limits: an undeclared proxy, a declared
 * one that names no client, or an unknown peer. The header is ignored except from a declared proxy. `remote`
 * is undefined if the app's server never tells it; declaring proxies then means that all requests come
 * through them.
 */
export function networkOf(
  remote: string | undefined,
  forwardedFor: string | null,
  trusted: Networks,
  onUndeclaredProxy: (remote: string) => void,
): Network {
  const direct = remote === undefined ? null : readAddress(remote);
  const peer = { of: direct ? inNetwork(direct) : "unknown", generous: true };
  if (direct && !isTrusted(direct, trusted)) {
    if (forwardedFor === null) return { ...peer, generous: false };
    onUndeclaredProxy(direct.toString());
    return peer;
  }
  if (!direct && (remote !== undefined || trusted.length === 0)) return peer;
  // Reads addresses lazily from the end: the client itself may have put thousands before its own.
  for (const written of (forwardedFor ?? "").split(",").reverse()) {
    const hop = readAddress(written.trim());
    if (!hop) break;
    if (!isTrusted(hop, trusted)) return { of: inNetwork(hop), generous: false };
  }
  return peer;
}

/** Reads each request's network, and tells the operator which setting is missing, each once. */
export function watchNetworks(settings: Settings, log: { warn(facts: object, words: string): void }) {
  const told = new Set<string>();
  const warnOnce = (words: string, facts: object = {}) => {
    if (!told.has(words)) log.warn(facts, words);
    told.add(words);
  };
  return {
    networkOf: (request: RequestHead, remote: string | undefined) =>
      networkOf(remote, request.headers.get("x-forwarded-for"), settings.trustedProxies, (proxy) =>
        warnOnce(UNDECLARED_PROXY, { proxy }),
      ),
    noticePeer(remote: string | undefined): void {
      if (remote === undefined && settings.trustedProxies.length === 0) warnOnce(UNKNOWN_PEERS);
    },
  };
}

const UNDECLARED_PROXY =
  "X-Forwarded-For came from a proxy that LATCHKEY_TRUSTED_PROXIES doesn't name. The header is ignored, and all visitors of that proxy count as one, against limits that are ten times as generous. If it is your proxy, set LATCHKEY_TRUSTED_PROXIES to its address.";
const UNKNOWN_PEERS =
  "The server that Latchkey runs in doesn't tell where requests come from (Next.js never does), so all visitors count as one, against limits that are ten times as generous. Let a proxy in front be the only way to this server, let it replace X-Forwarded-For with the client's address, and set LATCHKEY_TRUSTED_PROXIES to the proxy's address.";

/** Whether a peer is a proxy that LATCHKEY_TRUSTED_PROXIES names. */
export function isProxy(remote: string | undefined, trusted: Networks): boolean {
  const address = remote === undefined ? null : readAddress(remote);
  return address !== null && isTrusted(address, trusted);
}

/** Whether the peer is this machine itself. */
export function isLoopback(remote: string | undefined): boolean {
  return remote !== undefined && readAddress(remote)?.range() === "loopback";
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
  const network = address.toByteArray().fill(0, 8);
  return `${ipaddr.fromByteArray(network)}/64`;
}
