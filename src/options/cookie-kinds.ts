import { ofText, ofTextOrNothing } from "./kinds.ts";

/** A token, as RFC 6265 says of a cookie's name. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Browsers give these a meaning, in upper or lower case. */
const PREFIX = /^__(Host|Secure)-/i;
/** How the names of Latchkey's other cookies end. */
const OF_OTHERS = /-(sign-in|device|ceremony|bound)$/;

/** Whether it is the server's own domain is checked against the base URL. */
export const cookieDomain = ofTextOrNothing("a domain that the host of BASE_URL belongs to", (given) =>
  given.replace(/^\./, "").toLowerCase(),
);

export const cookieName = ofText(
  "a name of at most 32 characters like latchkey-notes, with neither __Host- nor __Secure- before it nor -sign-in, -device, -ceremony or -bound after it",
  (given) =>
    TOKEN.test(given) && given.length <= 32 && !PREFIX.test(given) && !OF_OTHERS.test(given)
      ? given
      : undefined,
);

export const importedCookie = ofTextOrNothing(
  "the name of the old system's cookie, like authjs.session-token, which isn't one of Latchkey's own",
  (given) => {
    const isLikeOwn = given.replace(PREFIX, "").startsWith("latchkey");
    return TOKEN.test(given) && given.length <= 128 && !isLikeOwn ? given : undefined;
  },
);

/** Whether it is the name of one of Latchkey's cookies, by the name that was chosen for them. */
export function isOwn(name: string, chosen: string): boolean {
  return name.replace(PREFIX, "").replace(OF_OTHERS, "") === chosen;
}
