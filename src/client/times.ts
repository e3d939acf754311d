const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "Just now", then "1 minute ago", "3 hours ago", "5 days ago", in the page's language. */
export function relativeTime(at: string | number | Date, now = Date.now(), locale = pageLanguage()): string {
  const age = now - new Date(at).getTime();
  if (age < MINUTE) return "Just now";
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
  if (age < HOUR) return format.format(-Math.floor(age / MINUTE), "minute");
  if (age < DAY) return format.format(-Math.floor(age / HOUR), "hour");
  return format.format(-Math.floor(age / DAY), "day");
}

/** "3 November", and the year where it isn't this one. */
export function dayOf(at: string, now = Date.now(), locale = pageLanguage()): string {
  return new Date(at).toLocaleDateString(dateLocale(locale), dayParts(at, now));
}

/** "3 November at 14:05", and the year where it isn't this one. */
export function dayAndTimeOf(at: string, now = Date.now(), locale = pageLanguage()): string {
  const parts = { ...dayParts(at, now), hour: "2-digit", minute: "2-digit" } as const;
  return new Date(at).toLocaleString(dateLocale(locale), parts);
}

function dayParts(at: string, now: number) {
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  const year = isThisYear ? {} : ({ year: "numeric" } as const);
  return { day: "numeric", month: "long", ...year } as const;
}

/** The moment itself, for a tooltip. */
export function absoluteTime(at: string, locale = pageLanguage()): string {
  return new Date(at).toLocaleString(dateLocale(locale), { dateStyle: "long", timeStyle: "short" });
}

function pageLanguage(): string {
  return globalThis.document?.documentElement.lang || "en";
}

/** The day comes before the month, as in "3 November", unless the page's language names a country that says otherwise. */
function dateLocale(locale: string): string {
  return locale === "en" ? "en-GB" : locale;
}
