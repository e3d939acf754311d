import type { Latchkey } from "../latchkey.ts";

const mounted = new WeakSet<Pick<Latchkey, "settings">>();

/**
 * Checks that `call` was given a Latchkey. @throws if untyped code passed something else, such as a promise of one:
 * the app would start, and fail at every request.
 */
export function requireLatchkey(given: unknown, call: string): void {
  if (typeof given === "object" && given !== null && "settings" in given && "requireSession" in given) return;
  throw new TypeError(
    given instanceof Promise
      ? `${call} got a promise. Write: const latchkey = await createLatchkey(…)`
      : `${call} takes what \`await createLatchkey(…)\` gives.`,
  );
}

/** Records that an app mounts Latchkey, and returns the path of its base URL. @throws if the base URL has none. */
export function mountAt(latchkey: Latchkey): string {
  const base = pathOf(latchkey);
  mounted.add(latchkey);
  return base;
}

/**
 * The error if a check sees a request for Latchkey's own pages, since nobody could then reach the login page.
 * Null for every other request, and if Latchkey isn't mounted in this app.
 */
export function placeError(latchkey: Latchkey, path: string): Error | null {
  if (!mounted.has(latchkey) || !isAtOrBelow(path, pathOf(latchkey))) return null;
  return new Error(
    "requireSession(latchkey) is registered before mount(latchkey), so nobody would reach the login page. Move app.use(mount(latchkey)) above it.",
  );
}

/** The error if something has already consumed the body of a request for Latchkey. */
export function bodyIsGone(): Error {
  return new Error(
    "Middleware before Latchkey read the request's body and kept nothing of it. Move app.use(mount(latchkey)) above it.",
  );
}

/** Latchkey's path inside an app. @throws if the base URL has none. */
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

/** The error if the app mounts Latchkey below a path that its base URL isn't below. */
export function misplaced(prefix: string, base: string, remedy: string): Error {
  return new Error(
    `Latchkey is mounted below ${prefix}, but its base URL says ${base}, so nothing would reach it. ${remedy}`,
  );
}
