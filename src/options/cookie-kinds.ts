import { ofText, ofTextOrNothing } from "./kinds.ts";

/** A token, the form that RFC 6265 demands of a cookie's name. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Prefixes with a special meaning in browsers, in upper or lower case. */
const PREFIX = /^__(Host|Secure)-/i;
/** The suffixes of Latchkey's other cookies. */
const OF_OTHERS = /-(sign-in|device|ceremony|bound)$/;

/** Whether the host belongs to this domain is checked later, against the base URL. */
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

/**
 * Whether `name` is one of Latchkey's cookies, whose names are formed from the name `chosen` in the settings.
 */
export function isOwn(name: string, chosen: string): boolean {
  return name.replace(PREFIX, "").replace(OF_OTHERS, "") === chosen;
}
