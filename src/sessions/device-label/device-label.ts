import { UNKNOWN_DEVICE } from "../../answers.ts";
import { hintsFit, readBrowser, refineBrowser } from "./browser.ts";
import { readPlatformHint, readSystem } from "./system.ts";

/** The browser and system of a sign-in, as the list of sessions shows them: families, never versions. */
export type Device = {
  /** Browser or app, from a fixed list, or null. */
  browser: string | null;
  /** Operating system, from a fixed list, or null. */
  os: string | null;
  /** "Firefox on Windows"; the browser alone if only that is known; else "Unknown device". */
  label: string;
};

const longestUserAgent = 512; // characters; what comes after is not read

/**
 * Reads the device from a request's headers: the User-Agent, refined by Client Hints where both agree. Each
 * name comes from a fixed list, never from a header, so a header cannot put its own words in front of people.
 * `touchPoints` is the page's `navigator.maxTouchPoints`: Safari on an iPad claims to be a Mac, but no Mac
 * has any.
 */
export function readDevice(headers: Pick<Headers, "get">, touchPoints = 0): Device {
  const userAgent = (headers.get("user-agent") ?? "").slice(0, longestUserAgent);
  const brandList = headers.get("sec-ch-ua") ?? "";
  const browser = readBrowser(userAgent);
  const os = readSystem(userAgent);

  if (hintsFit(userAgent, browser, brandList)) {
    return device(
      refineBrowser(browser, brandList),
      os ?? readPlatformHint(headers.get("sec-ch-ua-platform") ?? ""),
    );
  }
  return device(browser, os === "Mac OS" && touchPoints > 1 && isAppleWebKit(userAgent) ? "iOS" : os);
}

function device(browser: string | null, os: string | null): Device {
  if (browser === null) return { browser, os, label: UNKNOWN_DEVICE };
  return { browser, os, label: os === null ? browser : `${browser} on ${os}` };
}

function isAppleWebKit(userAgent: string): boolean {
  return userAgent.includes("AppleWebKit/") && !/Chrom(?:e|ium)\//.test(userAgent);
}
