/**
 * Where to go after a sign-in: the page's own origin or a declared one, judged by the URL parser itself.
 * Everything else leads to the security page.
 */
export function nextAfterSignIn(
  next: string | null,
  here: { origin: string; basePath: string; returnOrigins: readonly string[] },
): string {
  const home = `${here.origin}${here.basePath}/settings/security`;
  if (next === null || !URL.canParse(next, `${here.origin}/`)) return home;
  const url = new URL(next, `${here.origin}/`);
  // The origin of blob:https://… is the one inside it.
  const isKnown =
    /^https?:$/.test(url.protocol) && (url.origin === here.origin || here.returnOrigins.includes(url.origin));
  return isKnown && !url.username && !url.password ? url.href : home;
}
