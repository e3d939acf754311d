import type { Latchkey } from "../latchkey.ts";

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
