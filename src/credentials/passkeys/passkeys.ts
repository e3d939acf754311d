import type {
  AuthenticationResponseJSON,
  RegistrationResponseJSON,
  WebAuthnCredential,
} from "@simplewebauthn/server";
import type { CeremonyKind } from "../../database/schema.ts";
import { siteNameOf } from "../../options/options.ts";
import { type Outcome, refuse } from "../../refusals.ts";
import { makeId } from "../../sessions/token.ts";
import type { AccountParts } from "../parts.ts";
import { beginCeremony, takeCeremony } from "./ceremony.ts";
import {
  findPasskey,
  isCredentialId,
  listPasskeys,
  moveCounter,
  type NewPasskey,
  type Passkey,
} from "./stored-passkeys.ts";

/** Loaded when first needed, not at the start: it takes as long to load as everything else together. */
const webAuthn = () => import("@simplewebauthn/server");

/** Options for creating a passkey, for an account or a sign-up; one passkey per authenticator and account. */
export async function registrationOptions(
  parts: AccountParts,
  of: { kind: CeremonyKind; accountId: string | null; email: string; browser: string; data?: string },
  now: number,
) {
  const held = of.accountId === null ? [] : await listPasskeys(parts.database, of.accountId);
  const { generateRegistrationOptions } = await webAuthn();
  const options = await generateRegistrationOptions({
    rpName: siteNameOf(parts.settings),
    rpID: parts.settings.baseUrl.hostname,
    userName: of.email,
    userID: new Uint8Array(Buffer.from(of.accountId ?? makeId())),
    attestationType: "none",
    excludeCredentials: held.map((passkey) => ({
      id: passkey.credential_id,
      transports: JSON.parse(passkey.transports),
    })),
    authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
  });
  const { kind, accountId, browser, data = "" } = of;
  const key = options.challenge;
  await beginCeremony(parts.database, { key, browser }, { kind, accountId, data }, now);
  return options;
}

/** Verifies the answer of a browser that created a passkey. Even a wrong answer uses up the challenge. */
export async function acceptRegistration(
  parts: AccountParts,
  answer: { response: unknown; browser: string | null; kind: CeremonyKind },
  now: number,
): Promise<Outcome<{ passkey: NewPasskey; accountId: string | null; data: string }>> {
  const refusal = refuse("wrong_passkey", "That passkey could not be added. Try again.", { status: 422 });
  const challenge = challengeOf(answer.response);
  if (challenge === null || !parts.settings.baseUrl.hasName) return refusal;
  const { browser, kind } = answer;
  const ceremony = await takeCeremony(parts.database, { key: challenge, browser }, kind, now);
  if (!ceremony) return refusal;
  const response = answer.response as RegistrationResponseJSON;
  const { verifyRegistrationResponse } = await webAuthn();
  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: parts.settings.baseUrl.origin,
    expectedRPID: parts.settings.baseUrl.hostname,
    requireUserVerification: false,
  }).catch(() => null);
  if (!verified?.verified) return refusal;
  const { id: credentialId, publicKey, counter, transports } = verified.registrationInfo.credential;
  if (!isCredentialId(credentialId)) return refusal;
  const passkey = { credentialId, publicKey, counter, transports: readTransports(transports) };
  return { ok: true, passkey, accountId: ceremony.accountId, data: ceremony.data };
}

/**
 * Options for signing in with a passkey, or for proving that it's still you. They list no passkeys, so they
 * don't reveal which addresses have any. Every passkey here is discoverable: the answer tells whose it is.
 */
export async function authenticationOptions(parts: AccountParts, browser: string, now: number) {
  const { generateAuthenticationOptions } = await webAuthn();
  const options = await generateAuthenticationOptions({
    rpID: parts.settings.baseUrl.hostname,
    userVerification: "preferred",
  });
  const ceremony = { kind: "use_passkey", accountId: null, data: "" } as const;
  await beginCeremony(parts.database, { key: options.challenge, browser }, ceremony, now);
  return options;
}

/**
 * Verifies the answer of an authenticator. The challenge is used up; the counter moves by compare-and-set, so
 * an answer counts once. `userVerified`: the authenticator checked a PIN or biometrics, which counts as both
 * factors.
 */
export async function acceptAuthentication(
  parts: AccountParts,
  answer: { response: unknown; browser: string | null },
  now: number,
): Promise<{ passkey: Passkey; userVerified: boolean } | null> {
  const challenge = challengeOf(answer.response);
  if (challenge === null || !parts.settings.baseUrl.hasName) return null;
  const { browser } = answer;
  const ceremony = await takeCeremony(parts.database, { key: challenge, browser }, "use_passkey", now);
  const response = answer.response as AuthenticationResponseJSON;
  const passkey = ceremony && (await findPasskey(parts.database, response.id));
  if (!ceremony || !passkey) return null;
  const credential: WebAuthnCredential = {
    id: passkey.credential_id,
    publicKey: new Uint8Array(passkey.public_key),
    counter: passkey.counter,
  };
  const { verifyAuthenticationResponse } = await webAuthn();
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: parts.settings.baseUrl.origin,
    expectedRPID: parts.settings.baseUrl.hostname,
    credential,
    requireUserVerification: false,
  }).catch(() => null);
  if (!verified?.verified) return null;
  const { newCounter, userVerified } = verified.authenticationInfo;
  return (await moveCounter(parts.database, passkey, newCounter, now)) ? { passkey, userVerified } : null;
}

/** The transports that the browser names for the authenticator. Unsigned, so they may be anything. */
function readTransports(said: unknown): string[] {
  const texts = Array.isArray(said) ? said.filter((one): one is string => typeof one === "string") : [];
  return texts.filter((one) => /^[a-z-]{2,16}$/.test(one)).slice(0, 8);
}

/** The challenge that a browser claims to have answered; null if the answer is malformed. */
function challengeOf(response: unknown): string | null {
  const data = (response as { response?: { clientDataJSON?: unknown } } | null)?.response?.clientDataJSON;
  if (typeof data !== "string" || data.length > 8_192) return null;
  try {
    const { challenge } = JSON.parse(Buffer.from(data, "base64url").toString("utf8"));
    return typeof challenge === "string" && challenge.length <= 256 ? challenge : null;
  } catch {
    return null;
  }
}
