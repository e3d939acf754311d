import ipaddr from "ipaddr.js";
import { expect, test, vi } from "vitest";
import { readSettings } from "../../options/options.ts";
import { networkOf, watchNetworks } from "./network.ts";

const TRUSTED = readSettings({ trustedProxies: ["127.0.0.1", "10.0.0.0/8", "fd00::/8"] }).trustedProxies;
const PROXY = "127.0.0.1";
const VISITOR = "203.0.113.7";
const SIX = "2001:db8:1:2:3:4:5:6";
const NETWORK_OF_SIX = "2001:db8:1:2::/64";

/** A peer that may speak for many visitors, and so counts as one, with generous limits. */
const many = (of: string) => ({ of, generous: true });

test.each<
  [
    what: string,
    remote: string | undefined,
    forwardedFor: string | null,
    network: string | ReturnType<typeof many>,
  ]
>([
  ["a server that never tells, and no header", undefined, null, many("unknown")],
  ["a server that never tells: the header of a declared proxy", undefined, VISITOR, VISITOR],
  [
    "a server that never tells: the right-most hop that isn't declared",
    undefined,
    `1.1.1.1, ${VISITOR}, 10.0.0.9`,
    VISITOR,
  ],
  ["a server that never tells, and declared hops alone", undefined, "10.0.0.8, 10.0.0.9", many("unknown")],
  ["no address", "unix:", null, many("unknown")],
  ["a connection that is gone already, whatever the header says", "", VISITOR, many("unknown")],
  ["a client without a proxy", VISITOR, null, VISITOR],
  ["an IPv4 client on an IPv6 socket", `::ffff:${VISITOR}`, null, VISITOR],
  ["an IPv6 client: its /64", SIX, null, NETWORK_OF_SIX],
  ["another address of that /64", "2001:db8:1:2::1", null, NETWORK_OF_SIX],
  ["the next /64", "2001:db8:1:3::1", null, "2001:db8:1:3::/64"],
  ["an undeclared proxy", VISITOR, "198.51.100.1", many(VISITOR)],
  ["an undeclared proxy with an empty header", VISITOR, "", many(VISITOR)],
  ["a proxy that says nothing", PROXY, null, many(PROXY)],
  ["a proxy with an empty header", PROXY, "", many(PROXY)],
  ["one hop", PROXY, VISITOR, VISITOR],
  ["one hop, of a proxy on an IPv6 socket", "::ffff:127.0.0.1", `::ffff:${VISITOR}`, VISITOR],
  ["one hop with a port", PROXY, `${VISITOR}:4711`, VISITOR],
  ["one hop in brackets", PROXY, `[${SIX}]:4711`, NETWORK_OF_SIX],
  ["two hops, the nearer one trusted", PROXY, `${VISITOR}, 10.0.0.9`, VISITOR],
  ["three hops, two of them trusted", PROXY, `${VISITOR}, 10.0.0.9, fd00::1`, VISITOR],
  ["what a client put before its own address", PROXY, `1.1.1.1, ${VISITOR}`, VISITOR],
  ["what a client put before, with a trusted hop behind", PROXY, `127.0.0.1, ${VISITOR}, 10.0.0.9`, VISITOR],
  ["trusted hops alone", PROXY, "10.0.0.8, 10.0.0.9", many(PROXY)],
  ["a word", PROXY, "a", many(PROXY)],
  ["a word as the nearest hop", PROXY, "1.2.3.4, a", many(PROXY)],
  ["a word that a client put before", PROXY, `a, ${VISITOR}`, VISITOR],
  ["an empty nearest hop", PROXY, `${VISITOR},`, many(PROXY)],
  ["10 kB of a word", PROXY, "x".repeat(10_000), many(PROXY)],
  ["10 kB of hops", PROXY, `${"1.1.1.1, ".repeat(1_200)}${VISITOR}`, VISITOR],
  ["letters beyond ASCII", PROXY, "１.２.３.４, ünï", many(PROXY)],
  ["a number out of range", PROXY, "256.1.1.1", many(PROXY)],
  ["markup", PROXY, "<script>", many(PROXY)],
  ["the word that RFC 7239 has for it", PROXY, "unknown", many(PROXY)],
])("%s", (_what, remote, forwardedFor, network) => {
  const told: string[] = [];
  expect(networkOf(remote, forwardedFor, TRUSTED, (proxy) => told.push(proxy))).toEqual(
    typeof network === "string" ? { of: network, generous: false } : network,
  );
  expect(told).toEqual(remote === VISITOR && forwardedFor !== null ? [VISITOR] : []);
});

function watched(trustedProxies = "") {
  const said: string[] = [];
  const settings = readSettings({ trustedProxies });
  const watch = watchNetworks(settings, { warn: (_facts: object, words: string) => said.push(words) });
  return { ...watch, said };
}

const forwarded = new Request("http://localhost:3000/", { headers: { "X-Forwarded-For": VISITOR } });

test("a forwarded header that is ignored is told once, with what to declare", () => {
  const { networkOf, said } = watched();
  for (const remote of [PROXY, PROXY, "10.0.0.1"]) networkOf(forwarded, remote);
  expect(said).toEqual([expect.stringMatching(/X-Forwarded-For.*set LATCHKEY_TRUSTED_PROXIES/)]);
});

test("a server that never tells peers is told of once, with what to declare, unless proxies are declared", () => {
  const { noticePeer, said } = watched();
  for (const remote of ["", PROXY, undefined, undefined]) noticePeer(remote);
  expect(said).toEqual([expect.stringMatching(/Next\.js.*set LATCHKEY_TRUSTED_PROXIES/)]);
  const declared = watched(PROXY);
  declared.noticePeer(undefined);
  expect(declared.said).toEqual([]);
});

test("without a declared proxy, a server that never tells peers has one peer, whatever the header says", () => {
  expect(watched().networkOf(forwarded, undefined)).toEqual(many("unknown"));
});

test("what a client writes before its own address isn't read: it may be thousands of hops", () => {
  const reading = vi.spyOn(ipaddr, "isValid");
  const header = `${",".repeat(15_000)}${VISITOR}, 10.0.0.9`;
  expect(networkOf(PROXY, header, TRUSTED, () => {}).of).toBe(VISITOR);
  expect(reading.mock.calls).toEqual([[PROXY], ["10.0.0.9"], [VISITOR]]);
  reading.mockRestore();
});
