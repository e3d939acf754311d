/**
 * Where to go after a sign-in: the page's own origin or a declared one, judged by the URL parser itself.
 * Everything else leads to the security page. No server sees the part after the #, but browsers carry it along
 * from the page that sent the person to log in: it belongs to that page, and leads back to the place on it.
 */
export function nextAfterSignIn(
  next: string | null,
  here: { origin: string; hash: string; basePath: string; returnOrigins: readonly string[] },
): string {
  const home = `${here.origin}${here.basePath}/settings/security${here.hash}`;
  const url = next === null ? null : parse(next, here.origin);
  if (url === null) return home;
  // The origin of blob:https://… is the one inside it.
  const isKnown =
    /^https?:$/.test(url.protocol) && (url.origin === here.origin || here.returnOrigins.includes(url.origin));
  if (!isKnown || url.username || url.password) return home;
  if (url.hash === "") url.hash = here.hash;
  return url.href;
}

/** `URL.parse`, which Safari 16 and Firefox 102 don't have. */
function parse(address: string, origin: string): URL | null {
  try {
    return new URL(address, `${origin}/`);
  } catch {
    return null;
  }
}
