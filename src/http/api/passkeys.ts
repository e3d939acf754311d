import { addPasskey } from "../../changes/login-methods.ts";
import { requireProof } from "../../changes/proof.ts";
import { readEmailAddress } from "../../credentials/email-address.ts";
import { networkLimit } from "../../credentials/limits/network-limit.ts";
import {
  acceptRegistration,
  authenticationOptions,
  registrationOptions,
} from "../../credentials/passkeys/passkeys.ts";
import type { Settings } from "../../options/options.ts";
import { type Refusal, refuse } from "../../refusals.ts";
import { makeSecret } from "../../sessions/token.ts";
import { signInWithPasskey } from "../../sign-in/passkey-sign-in.ts";
import { browserOf, type Call, clientInfoOf, visitOf } from "../call.ts";
import { type Identity, notSignedIn } from "../identify.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";
import { signInAnswer } from "./sign-in.ts";

/** If the host of BASE_URL is an IP address, passkeys can't work, so their routes are disabled. */
const missing = ({ baseUrl }: Settings): Refusal | null =>
  baseUrl.hasName
    ? null
    : refuse("not_found", "Passkeys need a host name, and this site is reached by an IP address.");

export const passkeyRoutes = [
  route({
    method: "POST",
    path: "/api/session/passkey/options",
    session: "none",
    missing,
    summary: "Options for signing in with a passkey, the same for everybody.",
    body: bodies.passkeySignInOptions,
    answers: { 200: answers.passkeyOptions },
    refuses: ["not_found"],
    async handle(call) {
      const tooMany = await tooManyCeremonies(call);
      if (tooMany) return tooMany;
      const browser = browserOf(call) ?? makeSecret();
      return withOptions(call, browser, await authenticationOptions(call.parts, browser, call.now));
    },
  }),
  route({
    method: "POST",
    path: "/api/session/passkey",
    session: "none",
    missing,
    summary: "Signs in with a passkey.",
    body: bodies.signInWithPasskey,
    answers: { 201: answers.signedIn, 202: answers.secondFactorAsked },
    refuses: ["wrong_passkey", "account_suspended", "not_found"],
    async handle(call) {
      const visit = visitOf(call, call.body.touchPoints);
      const answer = { response: call.body.passkey, browser: browserOf(call) };
      return signInAnswer(call, visit, await signInWithPasskey(visit, answer));
    },
  }),
  route({
    method: "POST",
    path: "/api/passkeys/options",
    session: "optional",
    missing,
    summary: "Options for making a passkey: for the account signed in, or with an email for a sign-up.",
    body: bodies.passkeyOptions,
    answers: { 200: answers.passkeyOptions },
    refuses: ["signed_out", "proof_needed", "sign_up_closed", "invalid_email", "not_found"],
    async handle(call) {
      const { who, body } = call;
      const browser = browserOf(call) ?? makeSecret();
      if (body.email !== undefined) return optionsForSignUp(call, body.email, browser);
      return "session" in who ? optionsForAccount(call, who, browser) : notSignedIn(who);
    },
  }),
  route({
    method: "POST",
    path: "/api/passkeys",
    session: "required",
    missing,
    summary: "Adds a passkey.",
    body: bodies.addPasskey,
    answers: { 201: answers.added },
    refuses: [
      { code: "wrong_passkey", status: 422 },
      "proof_needed",
      "method_taken",
      "too_many_passkeys",
      "not_found",
    ],
    async handle(call) {
      const { parts, current, body, now } = call;
      const answer = { response: body.passkey, browser: browserOf(call), kind: "add_passkey" } as const;
      const made = await acceptRegistration(parts, answer, now);
      if (!made.ok) return made;
      if (made.accountId !== current.accountId) return refuse("wrong_passkey", undefined, { status: 422 });
      const name = body.name ?? current.label;
      const done = await addPasskey(call, { passkey: made.passkey, name });
      return done.ok ? { ok: true, body: { id: done.id } } : done;
    },
  }),
];

/**
 * Limits requests for prompts, each of which is stored until used or expired, so that no one fills the
 * database.
 */
async function tooManyCeremonies(call: Call, account?: { id: string }): Promise<Refusal | null> {
  const network = await networkLimit(call.parts, "ceremony_network", clientInfoOf(call), account);
  return call.parts.attempts.take([network], call.now);
}

async function optionsForAccount(call: Call, { session, current }: Identity, browser: string) {
  const { parts, now } = call;
  const { accountId, email } = session;
  const tooMany = await tooManyCeremonies(call, { id: accountId });
  if (tooMany) return tooMany;
  const proof = await requireProof({ parts, current, now }, { named: false }, "both");
  if (!proof.ok) return proof;
  const of = { kind: "add_passkey", accountId, email, browser } as const;
  return withOptions(call, browser, await registrationOptions(parts, of, now));
}

async function optionsForSignUp(call: Call, email: string, browser: string) {
  const { parts, now } = call;
  const tooMany = await tooManyCeremonies(call);
  if (tooMany) return tooMany;
  if (parts.settings.signUp !== "open") return refuse("sign_up_closed");
  const address = readEmailAddress(email);
  if (!address) return refuse("invalid_email");
  const { email: written, key: data } = address;
  const of = { kind: "sign_up_passkey", accountId: null, email: written, browser, data } as const;
  return withOptions(call, browser, await registrationOptions(parts, of, now));
}

/** The options, and the cookie that binds their challenge to this browser. */
function withOptions(call: Call, browser: string, options: { challenge: string }) {
  return { ok: true, body: { ...options }, cookies: [call.parts.cookies.setCeremony(browser)] } as const;
}
