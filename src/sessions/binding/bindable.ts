import type { Settings } from "../../options/options.ts";

/** The settings that decide about binding. */
export type BindingSettings = Pick<Settings, "baseUrl" | "cookieDomain" | "deviceBinding" | "bindingRefresh">;

/**
 * How much earlier the browser drops a bound cookie than the server stops accepting it, in ms. A request that
 * was sent with a valid cookie may take that long to arrive.
 */
export const ON_THE_WAY = 30_000;

/**
 * How much longer than the bound cookie its challenge is valid, in ms: browsers sign the challenge when they
 * come to replace the cookie.
 */
const SIGNED_LATE = 5 * 60_000;

/**
 * Whether sessions are bound here. Browsers bind on https only. A cookie that is shared with sub-domains isn't
 * bound: their browsers would have to refresh a cookie that belongs to this host.
 */
export function isBindable({ baseUrl, cookieDomain, deviceBinding }: BindingSettings): boolean {
  return deviceBinding === "auto" && baseUrl.secure && cookieDomain === null;
}

export function challengeUntil({ bindingRefresh }: BindingSettings, now: number): number {
  return now + bindingRefresh + SIGNED_LATE;
}
