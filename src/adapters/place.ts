import type { Latchkey } from "../latchkey.ts";

const mounted = new WeakSet<Pick<Latchkey, "settings">>();

/** The path that an app mounts Latchkey at, from now on. @throws where the base URL names none. */
export function mountAt(latchkey: Latchkey): string {
  const base = pathOf(latchkey);
  mounted.add(latchkey);
  return base;
}

/**
 * What is wrong where a check sees a request for Latchkey's own pages: nobody could ever reach the login page.
 * Null for every other request, and where Latchkey isn't in this app but has an address of its own.
 */
export function standsAboveMount(latchkey: Latchkey, path: string): Error | null {
  if (!mounted.has(latchkey) || !isAtOrBelow(path, pathOf(latchkey))) return null;
  return new Error(
    "requireSession(latchkey) stands before mount(latchkey), so nobody would reach the login page. Move app.use(mount(latchkey)) above it.",
  );
}

/** What is wrong where the body of a request for Latchkey is gone. */
export function bodyIsGone(): Error {
  return new Error(
    "Something before Latchkey read the request's body and kept nothing of it. Move app.use(mount(latchkey)) above it.",
  );
}

/** Inside an app Latchkey has a path of its own. @throws where the base URL names none. */
export function pathOf({ settings: { baseUrl } }: Pick<Latchkey, "settings">): string {
  if (baseUrl.path !== "") return baseUrl.path;
  throw new Error(
    `Inside an app, Latchkey needs a path of its own: give createLatchkey a baseUrl such as ${baseUrl.origin}/auth (now it is ${baseUrl.href}).`,
  );
}

/** Whether a path, without its query, lies at or below another. */
export function isAtOrBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(above.endsWith("/") ? above : `${above}/`);
}

/** What is wrong where the app mounts Latchkey below a path that its base URL isn't below. */
export function misplaced(prefix: string, base: string, remedy: string): Error {
  return new Error(
    `Latchkey is mounted below ${prefix}, but its base URL says ${base}, so nothing would reach it. ${remedy}`,
  );
}
