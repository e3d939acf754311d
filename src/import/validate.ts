import { type EmailAddress, readEmailAddress } from "../credentials/email-address.ts";
import type { AccountParts } from "../credentials/parts.ts";
import { takeOverPassword } from "../credentials/passwords/imported-password.ts";
import { isIssuerOf, issuerKey, issuerVariable, unknownIssuerOf } from "../options/oidc.ts";
import { readDevice } from "../sessions/device-label/device-label.ts";
import { overByTime } from "../sessions/expiry.ts";
import { replacementKeyOf } from "../sessions/start.ts";
import { hashToken, looksLikeOldToken, OLD_TOKEN, tokenForOld } from "../sessions/token.ts";
import { type Found, type IncomingAccount, readIncoming } from "./incoming.ts";
import type { LeftOut } from "./report.ts";

/** An account that is valid by itself; whether its id and address are free is checked against the database. */
export type ValidAccount = {
  where: string;
  /** Why it is left out, unless it exists already; null if it can be imported. */
  refused: string | null;
  id: string | null;
  address: EmailAddress;
  verified: boolean;
  suspended: boolean;
  createdAt: number;
  passwordHash: string | null;
  totpSecret: string | null;
  identities: ValidIdentity[];
  sessions: ValidSession[];
  /** Parts that are not imported. */
  without: LeftOut[];
};

export type ValidIdentity = { provider: string; issuer: string; subject: string };

export type ValidSession = {
  tokenHash: Uint8Array;
  browser: string | null;
  os: string | null;
  label: string;
  replacementKey: string | null;
  createdAt: number;
  lastUsedAt: number;
  expiresAt: number;
};

export type ImportOptions = {
  /** Checks everything and writes no account. */
  dryRun: boolean;
  /** Imports accounts whose second factor can't be read without that factor, instead of leaving them out. */
  dropLostTwoFactor: boolean;
};

type LeaveOut = (what: LeftOut["what"], why: string) => void;

/** Validates an entry and keeps its valid parts, or says why the whole account is left out. */
export function validateAccount(
  parts: AccountParts,
  found: Found,
  options: ImportOptions,
  now: number,
): ValidAccount | LeftOut {
  const { where } = found;
  const leftOut = (why: string): LeftOut => ({ where, what: "account", why });
  const read = readIncoming(found);
  if ("why" in read) return leftOut(read.why);
  const { account } = read;
  const address = readEmailAddress(account.email);
  if (!address) return leftOut("Its email address is not one that can be used.");
  const secret = readTotpSecret(account.totpSecret);
  const lost =
    found.lostTwoFactor ?? (secret === undefined ? "it isn't a base32 secret of 80 bits or more" : null);
  const without: LeftOut[] = [];
  const leaveOut: LeaveOut = (what, why) => without.push({ where, what, why });
  if (lost !== null) leaveOut("second factor", `It can't be read: ${lost}.`);
  const refused =
    lost === null || options.dropLostTwoFactor
      ? null
      : `Its second factor can't be read: ${lost}. Without it the password alone would open the account.`;
  const suspended = account.suspended === true;
  return {
    where,
    refused,
    id: account.id ?? null,
    address,
    verified: account.emailVerified === true,
    suspended,
    createdAt: Math.min(account.createdAt ?? now, now),
    passwordHash: readPassword(account.passwordHash, leaveOut),
    totpSecret: lost === null ? (secret ?? null) : null,
    identities: validIdentities(parts, account, leaveOut),
    sessions: suspended ? [] : validSessions(parts, account, leaveOut, now),
    without,
  };
}

/** Null if there is no secret, undefined if there is one that can't be used. */
function readTotpSecret(given: string | null | undefined): string | null | undefined {
  if (given === null || given === undefined || given === "") return null;
  const secret = given.replace(/[\s=-]/g, "").toUpperCase();
  return /^[A-Z2-7]{16,}$/.test(secret) ? secret : undefined;
}

function readPassword(hash: string | null | undefined, leaveOut: LeaveOut): string | null {
  if (hash === null || hash === undefined || hash === "") return null;
  const taken = takeOverPassword(hash);
  if ("stored" in taken) return taken.stored;
  leaveOut(
    "password",
    `Its hash can't be used: ${taken.why}. Its owner chooses a new one by "Forgot password?".`,
  );
  return null;
}

const FIRST = "before you import: a later run adds nothing to an account that is here.";

const SUBJECT = /^[^\p{Cc}]{1,255}$/u;

function validIdentities(parts: AccountParts, account: IncomingAccount, leaveOut: LeaveOut): ValidIdentity[] {
  return (account.identities ?? []).flatMap(({ provider, issuer, subject }) => {
    const site = parts.settings.oidc.find(
      (one) => (provider ?? one.id) === one.id && isIssuerOf(one, issuer ?? one.issuer),
    );
    const name = provider ?? issuer;
    if (!site || !name) {
      const which = name ? `"${name}" is none of` : "It names neither a provider nor an issuer of";
      leaveOut("login method", `${which} the sites in LATCHKEY_OIDC_PROVIDERS. Add it there ${FIRST}`);
      return [];
    }
    const unknown = issuer ? null : unknownIssuerOf(site);
    if (unknown !== null) {
      leaveOut(
        "login method",
        `"${site.id}" is Azure AD B2C, whose tokens name the tenant by its id. Set ${issuerVariable(site.id)} to ${unknown} for the import alone, or give the identity its issuer, ${FIRST}`,
      );
      return [];
    }
    if (!SUBJECT.test(subject)) {
      leaveOut(
        "login method",
        "Its subject is empty, longer than 255 characters, or has control characters.",
      );
      return [];
    }
    return [{ provider: site.id, issuer: issuerKey(new URL(issuer ?? site.issuer).href), subject }];
  });
}

type OldSession = NonNullable<IncomingAccount["sessions"]>[number];

/**
 * The sessions that are still live. Each ends when the old system would have ended it, but at most one session
 * lifetime from now, not from its sign-in: the import logs nobody out (decisions/0010). If several have the same
 * replacement key, the newest keeps it, so the next sign-in from that browser replaces that one.
 */
function validSessions(
  parts: AccountParts,
  account: IncomingAccount,
  leaveOut: LeaveOut,
  now: number,
): ValidSession[] {
  const { settings, seal } = parts;
  const taken = new Set<string>();
  const usedAt = (one: OldSession) => Math.min(one.lastUsedAt ?? one.createdAt ?? now, now);
  return (account.sessions ?? [])
    .filter((one) => overByTime(one.expiresAt, usedAt(one), settings, now) === null)
    .sort((one, other) => usedAt(other) - usedAt(one))
    .flatMap((one) => {
      if (!looksLikeOldToken(one.token)) {
        const { shortest, longest } = OLD_TOKEN;
        leaveOut("session", `Its token doesn't have ${shortest} to ${longest} characters.`);
        return [];
      }
      const device = readDevice(new Headers({ "user-agent": headerSafe(one.userAgent ?? "") }));
      const replacementKey = settings.sessionScope === "device" ? null : replacementKeyOf(device);
      const isFirst = replacementKey !== null && !taken.has(replacementKey);
      if (isFirst) taken.add(replacementKey);
      return {
        ...device,
        tokenHash: hashToken(tokenForOld(one.token, seal.hmac)),
        replacementKey: isFirst ? replacementKey : null,
        createdAt: Math.min(one.createdAt ?? now, now),
        lastUsedAt: usedAt(one),
        expiresAt: Math.min(one.expiresAt, now + settings.sessionLifetime),
      };
    });
}

function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
