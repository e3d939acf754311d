const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "Just now" under a minute, then "1 minute ago", "3 hours ago", "5 days ago", in the page's language. */
export function relativeTime(iso: string, now: number, language = "en"): string {
  const passed = Math.max(0, now - Date.parse(iso));
  if (passed < MINUTE) return "Just now";
  const format = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  if (passed < HOUR) return format.format(-Math.floor(passed / MINUTE), "minute");
  if (passed < DAY) return format.format(-Math.floor(passed / HOUR), "hour");
  return format.format(-Math.floor(passed / DAY), "day");
}

/** "3 November", with the year where it is another one. */
export function dayOf(iso: string, now: number): string {
  const date = new Date(iso);
  const isThisYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    ...(isThisYear ? {} : { year: "numeric" }),
  });
}

/** "Tuesday, 3 November 2026 at 14:05", where the reader is. */
export function absoluteTime(iso: string): string {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "short" });
}
