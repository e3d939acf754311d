/**
 * Where to go after a sign-in: to the URL in `next` if its origin, as the URL parser reads it, is the page's
 * own or a declared one; else to the security page. Browsers keep the fragment of the page that sent the
 * person to log in when they follow its redirect, so it is added to `next`.
 */
export function nextAfterSignIn(
  next: string | null,
  here: { origin: string; hash: string; basePath: string; returnOrigins: readonly string[] },
): string {
  const home = `${here.origin}${here.basePath}/settings/security${here.hash}`;
  const url = next === null ? null : parse(next, here.origin);
  if (url === null) return home;
  // Checks the scheme too: the origin of blob:https://… is the one inside it.
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
