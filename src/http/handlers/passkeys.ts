import { addPasskey } from "../../changes/login-methods.ts";
import { requireProof } from "../../changes/proof.ts";
import { readEmailAddress } from "../../credentials/email-address.ts";
import { networkLimit } from "../../credentials/network-limit.ts";
import {
  acceptRegistration,
  authenticationOptions,
  registrationOptions,
} from "../../credentials/passkeys/passkeys.ts";
import type { FoundSession } from "../../database/database.ts";
import type { Refusal } from "../../refusals.ts";
import { refuse } from "../../refusals.ts";
import { makeSecret } from "../../sessions/token.ts";
import { signInWithPasskey } from "../../sign-in/passkey-sign-in.ts";
import { json, problem, signedOutFacts } from "../answers.ts";
import { bodies } from "../bodies.ts";
import type { Call } from "../call.ts";
import { browserOf, clientInfoOf, read } from "../call.ts";
import { actingIn, currentSession, type SignedInCall } from "../signed-in.ts";
import { answerSignIn } from "./sign-in.ts";

/** Where BASE_URL has no name there are no passkeys, and no routes of theirs. */
export function wherePasskeysAre(handle: (call: Call) => Promise<Response>) {
  return async (call: Call): Promise<Response> =>
    call.parts.settings.baseUrl.hasName
      ? handle(call)
      : problem(refuse("not_found", "Passkeys need a host name, and this site is reached by an IP address."));
}

/** Each prompt that is asked for is kept until it is answered or over: nobody may fill the database with them. */
async function tooManyCeremonies(call: Call, current?: FoundSession): Promise<Refusal | null> {
  const account = current && { id: current.accountId };
  const network = await networkLimit(call.parts, "ceremony_network", clientInfoOf(call), account);
  return call.parts.attempts.take([network], call.now);
}

/** Options for making a passkey: for the account that is signed in, or, with an email, for a sign-up. */
export async function postPasskeyOptions(call: Call): Promise<Response> {
  const asked = await read(call, bodies.passkeyOptions);
  if (!asked.ok) return problem(asked);
  const { parts, now } = call;
  const browser = browserOf(call) ?? makeSecret();
  const { email } = asked.body;
  if (email !== undefined) return signUpOptions(call, email, browser);

  const answer = await currentSession(call);
  if (!("session" in answer))
    return problem(refuse("signed_out", "You are not signed in.", signedOutFacts(answer)));
  const { session } = answer;
  const tooMany = await tooManyCeremonies(call, session);
  if (tooMany) return problem(tooMany);
  const proof = await requireProof(parts, actingIn(call, session), { named: false }, "both", now);
  if (!proof.ok) return problem(proof);
  const of = { kind: "add_passkey", accountId: session.accountId, email: session.email, browser } as const;
  return json(200, await registrationOptions(parts, of, now), [parts.cookies.setCeremony(browser)]);
}

async function signUpOptions(call: Call, email: string, browser: string): Promise<Response> {
  const { parts, now } = call;
  const tooMany = await tooManyCeremonies(call);
  if (tooMany) return problem(tooMany);
  if (parts.settings.signUp !== "open") return problem(refuse("sign_up_closed"));
  const address = readEmailAddress(email);
  if (!address) return problem(refuse("invalid_email"));
  const of = {
    kind: "sign_up_passkey",
    accountId: null,
    email: address.email,
    browser,
    data: address.key,
  } as const;
  return json(200, await registrationOptions(parts, of, now), [parts.cookies.setCeremony(browser)]);
}

export async function postPasskey(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.passkey);
  if (!asked.ok) return problem(asked);
  const { parts, current, now } = call;
  const answer = { response: asked.body.passkey, browser: browserOf(call), kind: "add_passkey" } as const;
  const made = await acceptRegistration(parts, answer, now);
  if (!made.ok) return problem(made);
  if (made.accountId !== current.accountId)
    return problem(refuse("wrong_passkey", undefined, { status: 422 }));
  const name = asked.body.name ?? current.label;
  const done = await addPasskey(parts, current, { passkey: made.passkey, name }, now);
  return done.ok ? json(201, { id: done.id }) : problem(done);
}

export async function postPasskeySignInOptions(call: Call): Promise<Response> {
  const asked = await read(call, bodies.passkeySignInOptions);
  if (!asked.ok) return problem(asked);
  const { parts, now } = call;
  const tooMany = await tooManyCeremonies(call);
  if (tooMany) return problem(tooMany);
  const browser = browserOf(call) ?? makeSecret();
  const options = await authenticationOptions(parts, { accountId: null, browser }, now);
  return json(200, options, [parts.cookies.setCeremony(browser)]);
}

export async function postPasskeySession(call: Call): Promise<Response> {
  const asked = await read(call, bodies.passkey);
  if (!asked.ok) return problem(asked);
  const clientInfo = clientInfoOf(call, asked.body.touchPoints);
  const answer = { response: asked.body.passkey, browser: browserOf(call) };
  return answerSignIn(call, clientInfo, await signInWithPasskey(call.parts, answer, clientInfo, call.now));
}
