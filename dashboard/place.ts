const PLACE = "latchkey:place";

/**
 * Keeps the URL's fragment in this tab during a login at another site. It mustn't be in a URL that a server
 * sees, since apps may have secrets in it. The person comes back to the login page with `step=place`.
 */
export function keepPlace(hash: string): void {
  sessionStorage.setItem(PLACE, hash);
}

/** Returns the kept fragment, and forgets it. */
export function takePlace(): string {
  const hash = sessionStorage.getItem(PLACE) ?? "";
  sessionStorage.removeItem(PLACE);
  return hash;
}

/** Where a login at another site leads if there is a fragment to restore: to the login page first. */
export function byWayOf(loginPage: string, next: string | null): string {
  const url = new URL(loginPage, location.origin);
  url.searchParams.set("step", "place");
  if (next !== null) url.searchParams.set("next", next);
  return url.href;
}
