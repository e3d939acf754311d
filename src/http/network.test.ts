import { expect, test } from "vitest";
import { readSettings } from "../options/options.ts";
import { networkOf } from "./network.ts";

const TRUSTED = readSettings({ trustedProxies: ["127.0.0.1", "10.0.0.0/8", "fd00::/8"] }).trustedProxies;
const PROXY = "127.0.0.1";
const VISITOR = "203.0.113.7";
const SIX = "2001:db8:1:2:3:4:5:6";
const NETWORK_OF_SIX = "20010db800010002/64";

test.each<[what: string, remote: string | undefined, forwardedFor: string | null, network: string | null]>([
  ["nobody told", undefined, null, null],
  ["nobody told, whatever the header says", undefined, VISITOR, null],
  ["no address", "unix:", null, null],
  ["a visitor without a proxy", VISITOR, null, VISITOR],
  ["an IPv4 visitor on an IPv6 socket", `::ffff:${VISITOR}`, null, VISITOR],
  ["an IPv6 visitor: its /64", SIX, null, NETWORK_OF_SIX],
  ["another address of that /64", "2001:db8:1:2::1", null, NETWORK_OF_SIX],
  ["the next /64", "2001:db8:1:3::1", null, "20010db800010003/64"],
  ["an undeclared proxy", VISITOR, "198.51.100.1", null],
  ["an undeclared proxy with an empty header", VISITOR, "", null],
  ["a proxy that says nothing", PROXY, null, PROXY],
  ["a proxy with an empty header", PROXY, "", null],
  ["one hop", PROXY, VISITOR, VISITOR],
  ["one hop, of a proxy on an IPv6 socket", "::ffff:127.0.0.1", `::ffff:${VISITOR}`, VISITOR],
  ["one hop with a port", PROXY, `${VISITOR}:4711`, VISITOR],
  ["one hop in brackets", PROXY, `[${SIX}]:4711`, NETWORK_OF_SIX],
  ["two hops, the nearer one trusted", PROXY, `${VISITOR}, 10.0.0.9`, VISITOR],
  ["three hops, two of them trusted", PROXY, `${VISITOR}, 10.0.0.9, fd00::1`, VISITOR],
  ["what a visitor put before its own address", PROXY, `1.1.1.1, ${VISITOR}`, VISITOR],
  ["what a visitor put before, with a trusted hop behind", PROXY, `127.0.0.1, ${VISITOR}, 10.0.0.9`, VISITOR],
  ["trusted hops alone", PROXY, "10.0.0.8, 10.0.0.9", null],
  ["a word", PROXY, "a", null],
  ["a word as the nearest hop", PROXY, "1.2.3.4, a", null],
  ["a word that a visitor put before", PROXY, `a, ${VISITOR}`, VISITOR],
  ["an empty nearest hop", PROXY, `${VISITOR},`, null],
  ["10 kB of a word", PROXY, "x".repeat(10_000), null],
  ["10 kB of hops", PROXY, `${"1.1.1.1, ".repeat(1_200)}${VISITOR}`, VISITOR],
  ["letters beyond ASCII", PROXY, "１.２.３.４, ünï", null],
  ["a number out of range", PROXY, "256.1.1.1", null],
  ["markup", PROXY, "<script>", null],
  ["the word that RFC 7239 has for it", PROXY, "unknown", null],
])("%s", (_what, remote, forwardedFor, network) => {
  const told: string[] = [];
  expect(networkOf(remote, forwardedFor, TRUSTED, (proxy) => told.push(proxy))).toBe(network);
  expect(told).toEqual(remote === VISITOR && forwardedFor !== null ? [VISITOR] : []);
});
