import { canUsePasskeys } from "../src/react/passkeys.ts";

/** What the server tells the page about itself, in a meta element: no script is inline. */
export type Config = {
  basePath: string;
  signUp: "open" | "verify-first" | "closed";
  passwordMinLength: number;
  returnOrigins: string[];
  passkeys: boolean;
  oidc: { id: string; name: string }[];
};

const DEFAULTS: Config = {
  basePath: "",
  signUp: "open",
  passwordMinLength: 12,
  returnOrigins: [],
  passkeys: false,
  oidc: [],
};

export function readConfig(): Config {
  const content = document.querySelector<HTMLMetaElement>('meta[name="latchkey"]')?.content ?? "";
  const config: Config = content.startsWith("{") ? { ...DEFAULTS, ...JSON.parse(content) } : DEFAULTS;
  return { ...config, passkeys: config.passkeys && canUsePasskeys() };
}
