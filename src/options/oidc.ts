import { z } from "zod";
import { type Kind, readList } from "./kinds.ts";
import { SettingError } from "./setting-error.ts";

/** A site that people may sign in with. `google` and `github` need no issuer; GitHub Enterprise needs one. */
export type OidcProviderOptions = {
  /** Lower-case letters, digits and dashes; part of the callback URL. */
  id: string;
  clientId: string;
  clientSecret: string;
  /**
   * `LATCHKEY_OIDC_<ID>_ISSUER`: the issuer's URL, or the URL of its discovery document; for `github`, the
   * URL of a GitHub Enterprise.
   */
  issuer?: string;
  /** `LATCHKEY_OIDC_<ID>_NAME`: the name on the button. Default: the capitalized id. */
  name?: string;
  /**
   * `LATCHKEY_OIDC_<ID>_TRUST_AMR`: whether a sign-in counts as both factors if the provider's `amr` claim
   * says `mfa`, or names two kinds of proof (`pwd` and `otp`). Default off.
   */
  trustAmr?: "on" | "off";
};

export type OidcProvider = {
  readonly id: string;
  readonly name: string;
  /** GitHub uses OAuth 2 with its own user API; every other provider uses OpenID Connect. */
  readonly kind: "oidc" | "github";
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly trustAmr: boolean;
};

const KNOWN: Record<string, { name: string; issuer: string; kind: "oidc" | "github" }> = {
  google: { name: "Google", issuer: "https://accounts.google.com", kind: "oidc" },
  github: { name: "GitHub", issuer: "https://github.com", kind: "github" },
};

const LIST = "LATCHKEY_OIDC_PROVIDERS";
const PARTS = {
  clientId: "CLIENT_ID",
  clientSecret: "CLIENT_SECRET",
  issuer: "ISSUER",
  name: "NAME",
  trustAmr: "TRUST_AMR",
};

const variableOf = (id: string, part: string) =>
  `LATCHKEY_OIDC_${id.toUpperCase().replaceAll("-", "_")}_${part}`;

/** The name of the variable for a provider's issuer. */
export const issuerVariable = (id: string) => variableOf(id, PARTS.issuer);

/** The names of all variables for the providers that an environment lists. */
export function variablesOfProviders(environment: Record<string, string | undefined>): string[] {
  return readList(environment[LIST]).flatMap((id) =>
    Object.values(PARTS).map((part) => variableOf(id, part)),
  );
}

/** The provider that a variable's name implies: `acme` for `LATCHKEY_OIDC_ACME_ISSUER`. */
export function providerOf(variable: string): string | undefined {
  const pattern = new RegExp(`^LATCHKEY_OIDC_(\\w+)_(?:${Object.values(PARTS).join("|")})$`);
  return pattern.exec(variable)?.[1]?.toLowerCase().replaceAll("_", "-");
}

/** The option `oidc` from an environment's providers and their variables; empty if it lists none. */
export function oidcFromEnvironment(environment: Record<string, string | undefined>): {
  oidc?: OidcProviderOptions[];
} {
  const oidc = readList(environment[LIST]).map((id) => {
    const found = Object.entries(PARTS).flatMap(([part, suffix]) => {
      const value = environment[variableOf(id, suffix)]?.trim();
      return value ? [[part, value]] : [];
    });
    return { clientId: "", clientSecret: "", ...Object.fromEntries(found), id };
  });
  return oidc.length > 0 ? { oidc } : {};
}

/** @throws SettingError naming the variable of the first value that is wrong. */
export function readOidcProviders(options: readonly OidcProviderOptions[]): OidcProvider[] {
  const ids = new Set<string>();
  return options.map((option) => {
    const { id } = option;
    refuseUnknownFields(option);
    if (!/^[a-z0-9-]{1,32}$/.test(id) || ids.has(id)) {
      throw new SettingError(
        LIST,
        `takes different names of lower-case letters, digits and dashes (got "${id}")`,
      );
    }
    ids.add(id);
    for (const part of ["clientId", "clientSecret"] as const) {
      if (!option[part])
        throw new SettingError(variableOf(id, PARTS[part]), `must be set, since ${LIST} names ${id}`);
    }
    if (option.trustAmr !== undefined && !["on", "off"].includes(option.trustAmr))
      throw new SettingError(
        variableOf(id, PARTS.trustAmr),
        `takes one of on, off (got "${option.trustAmr}")`,
      );
    const known = KNOWN[id];
    const kind = known?.kind ?? "oidc";
    const given = readIssuer(issuerVariable(id), option.issuer ?? known?.issuer);
    // GitHub's issuer is only a base URL, to which paths are added.
    const issuer = kind === "github" ? issuerKey(given) : given;
    const { clientId, clientSecret } = option;
    const name = option.name ?? known?.name ?? id.charAt(0).toUpperCase() + id.slice(1);
    return { id, name, kind, issuer, clientId, clientSecret, trustAmr: option.trustAmr === "on" };
  });
}

function refuseUnknownFields(option: object): void {
  const fields = ["id", ...Object.keys(PARTS)];
  const unknown = Object.keys(option).find((name) => !fields.includes(name));
  if (unknown !== undefined)
    throw new SettingError(
      LIST,
      `takes, as the option oidc, sites with ${fields.join(", ").replace(/, (?=\w+$)/, " and ")} (got ${unknown})`,
    );
}

/** The providers, as a kind of value; an error in one names that provider's variable. */
export const providers: Kind<OidcProviderOptions[], OidcProvider[]> = {
  takes: "names of lower-case letters, digits and dashes, separated by commas",
  schema: z
    .array(z.custom<OidcProviderOptions>((given) => z.object({ id: z.string() }).safeParse(given).success))
    .transform(readOidcProviders),
};

/** The issuer in the form stored with identities: with or without a trailing slash, it is the same issuer. */
export function issuerKey(issuer: string): string {
  return issuer.replace(/\/+$/, "");
}

/**
 * The issuer that Azure AD B2C puts into tokens has the tenant's id, while its discovery URL has a policy's
 * name.
 */
const B2C_TENANT = /^https:\/\/[^/]+\.b2clogin\.com\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$/;

/**
 * Whether an issuer, as named in a provider's metadata or a stored identity, is the provider's in the
 * settings. For Azure AD B2C an equal origin is enough, since each tenant has a host of its own.
 */
export function isIssuerOf({ issuer }: OidcProvider, said: string): boolean {
  if (!URL.canParse(said)) return false;
  const [one, own] = [new URL(said), new URL(issuer)];
  const key = issuerKey(one.href);
  return key === issuerKey(own.href) || (B2C_TENANT.test(key) && one.origin === own.origin);
}

/** For a provider of Azure AD B2C whose settings don't have the tokens' issuer: that issuer, as a pattern; else null. */
export function unknownIssuerOf({ issuer }: OidcProvider): string | null {
  const { hostname, origin, href } = new URL(issuer);
  const isKnown = !hostname.endsWith(".b2clogin.com") || B2C_TENANT.test(issuerKey(href));
  return isKnown ? null : `${origin}/TENANT-ID/v2.0`;
}

/** A Microsoft Entra URL other than the issuer of one tenant, which contains the tenant's id. */
const NOT_ONE_TENANT =
  /^https:\/\/login\.microsoftonline\.(com|us)\/(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0\/?$)/i;

const DOCUMENT = /\/\.well-known\/openid-configuration(?=\?|$)/;

/** Requires https, since codes and secrets are sent to the provider; http is allowed only to this machine. */
function readIssuer(variable: string, given: string | undefined): string {
  const value = given?.replace(DOCUMENT, "");
  const url = value !== undefined && URL.canParse(value) ? new URL(value) : null;
  // With `common` and the like, each token's issuer is the person's own tenant, so none would match this one.
  if (url && NOT_ONE_TENANT.test(url.href))
    throw new SettingError(
      variable,
      `takes, of Microsoft Entra, the issuer of one tenant, by its number: https://login.microsoftonline.com/TENANT-ID/v2.0 (got "${value}")`,
    );
  const isLocal = url && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLocal);
  if (value !== undefined && isSafe && !value.includes("/.well-known/")) return value;
  throw new SettingError(variable, "takes the provider's issuer, like https://login.example.com");
}
