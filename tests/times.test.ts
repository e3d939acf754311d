import { absoluteTime, dayOf, relativeTime, timeOf } from "latchkey/client";
import { afterEach, describe, expect, test, vi } from "vitest";

const AT = "2026-11-03T14:05:00";
const NOW = new Date("2026-11-03T16:05:00").getTime();

/** A page in a language, in a browser with languages. */
function at(lang: string, languages: string[]): void {
  vi.stubGlobal("document", { documentElement: { lang } });
  vi.stubGlobal("navigator", { languages });
}
afterEach(() => {
  vi.unstubAllGlobals();
});

describe("Times on a page", () => {
  test.each(["de", "", "fr-CA"])("are in English like every other word there, even under lang=%j", (lang) => {
    at(lang, ["de-DE"]);
    expect(relativeTime(AT, NOW)).toBe("2 hours ago");
    expect(dayOf(AT, NOW)).toBe("3 November");
  });

  test.each([
    ["16:05:59", "Just now"],
    ["16:06:59", "1 minute ago"],
    ["17:04:59", "59 minutes ago"],
    ["18:04:00", "1 hour ago"],
    ["18:05:00", "2 hours ago"],
  ])("count whole units only: at %s, what happened at 16:05 is %s", (time, words) => {
    at("en", ["en-GB"]);
    expect(relativeTime("2026-11-03T16:05:00", new Date(`2026-11-03T${time}`).getTime())).toBe(words);
  });

  test("follow the date order of the browser's own English", () => {
    at("en", ["en-US", "en"]);
    expect(dayOf(AT, NOW)).toBe("November 3");
    expect(timeOf(AT)).toMatch(/^0?2:05\sPM$/);
    at("en", ["de-DE", "en-GB"]);
    expect(dayOf(AT, NOW)).toBe("3 November");
    expect(timeOf(AT)).toBe("14:05");
    at("en", ["sv-SE", "en"]);
    expect(absoluteTime(AT)).toMatch(/^3 November 2026/);
  });

  test("are shown, too, if the browser or the page has an invalid language", () => {
    at("en_US", ["en-US@posix", "en-GB"]);
    expect([relativeTime(AT, NOW), dayOf(AT, NOW)]).toEqual(["2 hours ago", "3 November"]);
  });

  test("follow that of the page, if its language names a country", () => {
    at("en-AU", ["en-US"]);
    expect(dayOf(AT, NOW)).toBe("3 November");
  });

  test("are in another language only if it is asked for explicitly", () => {
    at("en", ["en-US"]);
    expect(relativeTime(AT, NOW, "de")).toBe("vor 2 Stunden");
  });
});
