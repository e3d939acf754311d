import { extname, resolve } from "node:path";
import { readAccent } from "./accent.ts";
import { ofTextOrNothing } from "./kinds.ts";

const LONGEST_NAME = 64;

export const siteName = ofTextOrNothing(
  `a name of at most ${LONGEST_NAME} characters, in one line`,
  (given) => {
    const name = given.trim();
    return name !== "" && [...name].length <= LONGEST_NAME && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)
      ? name
      : undefined;
  },
);

/** The image types that browsers show, by file extension. */
export const IMAGE_TYPES: Readonly<Record<string, string>> = {
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
};

export const logo = ofTextOrNothing(
  "the path of an .svg, .png, .webp or .jpg file of at most 256 kB",
  (given) => (extname(given).toLowerCase() in IMAGE_TYPES ? resolve(given) : undefined),
);

export const accent = ofTextOrNothing("a colour like #0a7d5c", readAccent);

export const webPage = ofTextOrNothing("an address like https://example.com/terms", readWebPage);

/** Where people ask for help: the words of the link, and its target. */
export type Support = { readonly words: string; readonly href: string };

export const support = ofTextOrNothing(
  "an email address, or an address like https://example.com/help",
  (given): Support | undefined => {
    if (/^[^\s<>@,;:"()?&%]+@[^\s<>@,;:"()?&%]+$/.test(given))
      return { words: given, href: `mailto:${given}` };
    const page = readWebPage(given);
    return page === undefined ? undefined : { words: page, href: page };
  },
);

function readWebPage(given: string): string | undefined {
  if (!URL.canParse(given)) return undefined;
  const url = new URL(given);
  return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url.href : undefined;
}
