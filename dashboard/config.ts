import type { Ending } from "../src/client/index.ts";
import { canUsePasskeys } from "../src/react/proof/passkeys.ts";

/** The server's settings for the page. They come in a meta element, since inline scripts aren't allowed. */
export type Config = {
  basePath: string;
  signUp: "open" | "verify-first" | "closed";
  passwordMinLength: number;
  returnOrigins: string[];
  passkeys: boolean;
  oidc: { id: string; name: string }[];
  /** How many days a session lasts; null if it isn't a whole number. */
  sessionDays: number | null;
  name: string;
  /** The picture beside the name; null for Latchkey's own. */
  logo: string | null;
  /** Links such as terms and privacy. */
  links: { words: string; href: string }[];
  /** Why this browser's session has ended, or isn't enough for the app. `now`: the server's time then. */
  ending: Ending & { now: number };
};

const DEFAULTS: Config = {
  basePath: "",
  signUp: "open",
  passwordMinLength: 12,
  returnOrigins: [],
  passkeys: false,
  oidc: [],
  sessionDays: null,
  name: "Latchkey",
  logo: null,
  links: [],
  ending: { reason: "none", now: Date.now() },
};

export function readConfig(): Config {
  const config: Config = { ...DEFAULTS, ...contentOf("latchkey") };
  return {
    ...config,
    passkeys: config.passkeys && canUsePasskeys(),
    ending: { ...DEFAULTS.ending, ...contentOf("latchkey-ending") },
  };
}

function contentOf(name: string): object {
  const content = document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
  return content.startsWith("{") ? JSON.parse(content) : {};
}
