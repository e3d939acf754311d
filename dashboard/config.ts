import type { Ending } from "../src/client/index.ts";
import { canUsePasskeys } from "../src/react/proof/passkeys.ts";

/** What the server tells the page about itself, in a meta element: no script is inline. */
export type Config = {
  basePath: string;
  signUp: "open" | "verify-first" | "closed";
  passwordMinLength: number;
  returnOrigins: string[];
  passkeys: boolean;
  oidc: { id: string; name: string }[];
  /** How long a session lasts; null where that isn't a whole number of days. */
  sessionDays: number | null;
  name: string;
  /** The picture beside the name; null for Latchkey's own. */
  logo: string | null;
  /** Terms and the like. */
  links: { words: string; href: string }[];
  /** Why this browser's session is over, or opens no app yet; `now` is the server's clock, as it said so. */
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
