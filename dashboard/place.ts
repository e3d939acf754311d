const PLACE = "latchkey:place";

/**
 * For a log-in at another site, keeps in this tab what is behind the #. It can't travel in an address: apps have
 * secrets there, and no server sees them. The page that the person comes back to has `step=place`.
 */
export function keepPlace(hash: string): void {
  sessionStorage.setItem(PLACE, hash);
}

/** What was kept, once. */
export function takePlace(): string {
  const hash = sessionStorage.getItem(PLACE) ?? "";
  sessionStorage.removeItem(PLACE);
  return hash;
}

/** Where a log-in at another site leads, if there is a place to be found again: to the login page first. */
export function byWayOf(loginPage: string, next: string | null): string {
  const url = new URL(loginPage, location.origin);
  url.searchParams.set("step", "place");
  if (next !== null) url.searchParams.set("next", next);
  return url.href;
}
