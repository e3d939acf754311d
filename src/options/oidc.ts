import { z } from "zod";
import { type Kind, readList } from "./kinds.ts";
import { SettingError } from "./setting-error.ts";

/** A site that people may sign in with. `google` and `github` need no issuer; GitHub Enterprise does. */
export type OidcProviderOptions = {
  /** Lower-case letters, digits and dashes; part of the callback's address. */
  id: string;
  clientId: string;
  clientSecret: string;
  /** `LATCHKEY_OIDC_<ID>_ISSUER`: where discovery begins, or the address of the document found there; for `github` the address of a GitHub Enterprise. */
  issuer?: string;
  /** `LATCHKEY_OIDC_<ID>_NAME`: as the button says it. Default: the id with a capital. */
  name?: string;
  /** `LATCHKEY_OIDC_<ID>_TRUST_AMR`: a provider that says `mfa`, or two kinds of proof (`pwd` and `otp`), counts as both factors. Default off. */
  trustAmr?: "on" | "off";
};

export type OidcProvider = {
  readonly id: string;
  readonly name: string;
  /** GitHub speaks OAuth 2 with its own user call; every other one OpenID Connect. */
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

/** The variable that has the issuer of a provider. */
export const issuerVariable = (id: string) => variableOf(id, PARTS.issuer);

/** The variables of the providers that an environment names. */
export function variablesOfProviders(environment: Record<string, string | undefined>): string[] {
  return readList(environment[LIST]).flatMap((id) =>
    Object.values(PARTS).map((part) => variableOf(id, part)),
  );
}

/** The provider that a variable is for by its form: `acme` for `LATCHKEY_OIDC_ACME_ISSUER`. */
export function providerOf(variable: string): string | undefined {
  const pattern = new RegExp(`^LATCHKEY_OIDC_(\\w+)_(?:${Object.values(PARTS).join("|")})$`);
  return pattern.exec(variable)?.[1]?.toLowerCase().replaceAll("_", "-");
}

/** The option that an environment's providers make, with the variables of each; nothing where it names none. */
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

/** @throws SettingError naming the variable of the first thing that is wrong. */
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
    // GitHub's is only what its pages and calls hang below.
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

/** The providers, as a kind of value; one that is wrong names its own variable. */
export const providers: Kind<OidcProviderOptions[], OidcProvider[]> = {
  takes: "names of lower-case letters, digits and dashes, separated by commas",
  schema: z
    .array(z.custom<OidcProviderOptions>((given) => z.object({ id: z.string() }).safeParse(given).success))
    .transform(readOidcProviders),
};

/** An issuer as identities are kept by it: with a slash at its end and without, it is the same one. */
export function issuerKey(issuer: string): string {
  return issuer.replace(/\/+$/, "");
}

/** Azure AD B2C is found below the address of a policy, and its tokens come from the tenant, by its number. */
const B2C_TENANT = /^https:\/\/[^/]+\.b2clogin\.com\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0$/;

/**
 * Whether a provider is who it says it is in its metadata, and in an identity that is kept: the issuer of the settings.
 * A host of Azure AD B2C is that of one tenant.
 */
export function isIssuerOf({ issuer }: OidcProvider, said: string): boolean {
  if (!URL.canParse(said)) return false;
  const [one, own] = [new URL(said), new URL(issuer)];
  const key = issuerKey(one.href);
  return key === issuerKey(own.href) || (B2C_TENANT.test(key) && one.origin === own.origin);
}

/** Microsoft Entra, but not the issuer of one tenant, which has its number in it. */
const NOT_ONE_TENANT =
  /^https:\/\/login\.microsoftonline\.(com|us)\/(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/v2\.0\/?$)/i;

const DOCUMENT = /\/\.well-known\/openid-configuration(?=\?|$)/;

/** https everywhere except for a provider on this machine: codes and secrets travel to it. */
function readIssuer(variable: string, given: string | undefined): string {
  const value = given?.replace(DOCUMENT, "");
  const url = value !== undefined && URL.canParse(value) ? new URL(value) : null;
  // The tokens of `common` and the like name the tenant of each person as the issuer, so this would be nobody's.
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
