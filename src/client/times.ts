import { serverTime } from "./clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "Just now", then "1 minute ago", "3 hours ago", "5 days ago", in the page's locale. */
export function relativeTime(
  at: string | number | Date,
  now = serverTime(),
  locale = pageLanguage(),
): string {
  const age = now - new Date(at).getTime();
  if (age < MINUTE) return "Just now";
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
  if (age < HOUR) return format.format(-Math.floor(age / MINUTE), "minute");
  if (age < DAY) return format.format(-Math.floor(age / HOUR), "hour");
  return format.format(-Math.floor(age / DAY), "day");
}

/** "3 November" or "November 3", with the year if it isn't this one. */
export function dayOf(at: string, now = serverTime(), locale = pageLanguage()): string {
  return new Date(at).toLocaleDateString(dateLocale(locale), dayParts(at, now));
}

/** A day as `dayOf` writes it, with the time of day. */
export function dayAndTimeOf(at: string, now = serverTime(), locale = pageLanguage()): string {
  const parts = { ...dayParts(at, now), hour: "2-digit", minute: "2-digit" } as const;
  return new Date(at).toLocaleString(dateLocale(locale), parts);
}

function dayParts(at: string, now: number) {
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const year = isThisYear ? {} : ({ year: "numeric" } as const);
  return { day: "numeric", month: "long", ...year } as const;
}

/** Date and time in full, for a tooltip. */
export function absoluteTime(at: string, locale = pageLanguage()): string {
  return new Date(at).toLocaleString(dateLocale(locale), { dateStyle: "long", timeStyle: "short" });
}

/** "14:05" or "2:05 PM". */
export function timeOf(at: string, locale = pageLanguage()): string {
  return new Date(at).toLocaleTimeString(dateLocale(locale), { hour: "2-digit", minute: "2-digit" });
}

/** English with a country or without. Some systems give invalid tags, such as `en-US@posix`. */
const ENGLISH = /^en(-[a-z]{2})?$/i;

const MARKED = { lang: "en", dir: "ltr" } as const;

/**
 * The `lang` and `dir` of an element with Latchkey's own words, which are English; none on an English page.
 * Without them, screen readers would read the words as if they were in the page's language.
 */
export function ownLanguage(): typeof MARKED | undefined {
  return pageEnglish() === undefined ? MARKED : undefined;
}

/** In other languages too, times are English like the words around them. */
function pageLanguage(): string {
  return pageEnglish() ?? "en";
}

/** The page's variety of English; undefined if it is in another language, or names none. */
function pageEnglish(): string | undefined {
  const lang = globalThis.document?.documentElement.lang ?? "";
  return ENGLISH.test(lang) ? lang : undefined;
}

/** If the page names no country, the browser's own English tells whether the day or the month comes first. */
function dateLocale(locale: string): string {
  if (locale !== "en") return locale;
  return (
    globalThis.navigator?.languages?.find((language) => ENGLISH.test(language) && language !== "en") ??
    "en-GB"
  );
}
