import type { SecondFactorAsked, SignedIn } from "../../answers.ts";
import { SECOND_FACTORS } from "../../answers.ts";
import type { Refusal } from "../../refusals.ts";
import type { ClientInfo, Started } from "../../sessions/start.ts";
import { finishWithSecondFactor } from "../../sign-in/pending-sign-in.ts";
import type { SignInResult } from "../../sign-in/sign-in.ts";
import { signIn } from "../../sign-in/sign-in.ts";
import { finishSignUp, signUp, signUpWithPasskey } from "../../sign-in/sign-up.ts";
import { accountAnswer, iso, sessionAnswer } from "../answers.ts";
import type { Call } from "../call.ts";
import { browserOf, clientInfoOf, cookieHeader } from "../call.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";
import { registrationOffer } from "./device-binding.ts";

export const signInRoutes = [
  route({
    method: "POST",
    path: "/api/accounts",
    session: "none",
    summary: "Creates an account and signs in; with verify-first, sends an email instead.",
    body: bodies.signUp,
    answers: { 201: answers.who, 202: answers.nothing },
    refuses: [
      "invalid_email",
      "weak_password",
      "email_taken",
      "sign_up_closed",
      "method_taken",
      "wrong_passkey",
      { code: "wrong_passkey", status: 422 },
    ],
    async handle(call) {
      const { parts, now, body } = call;
      const { email, password, passkey, touchPoints } = body;
      const clientInfo = clientInfoOf(call, touchPoints);
      const done =
        passkey === undefined
          ? await signUp(parts, { email, password: String(password ?? "") }, clientInfo, now)
          : await signUpWithPasskey(parts, { email, passkey, browser: browserOf(call) }, clientInfo, now);
      return done.ok ? signedUp(call, clientInfo, done.started) : done;
    },
  }),
  route({
    method: "PUT",
    path: "/api/accounts",
    session: "none",
    summary: "Finishes a sign-up with the token of the email.",
    body: bodies.finishSignUp,
    answers: { 201: answers.who, 202: answers.nothing },
    refuses: ["link_expired", "weak_password"],
    async handle(call) {
      const clientInfo = clientInfoOf(call, call.body.touchPoints);
      const done = await finishSignUp(call.parts, call.body, clientInfo, call.now);
      return done.ok ? signedUp(call, clientInfo, done.started) : done;
    },
  }),
  route({
    method: "POST",
    path: "/api/session",
    session: "none",
    summary: "Signs in with a password.",
    body: bodies.signIn,
    answers: { 201: answers.who, 202: answers.secondFactorAsked },
    refuses: ["wrong_credentials", "account_suspended"],
    async handle(call) {
      const clientInfo = clientInfoOf(call, call.body.touchPoints);
      return signInAnswer(call, clientInfo, await signIn(call.parts, call.body, clientInfo, call.now));
    },
  }),
  route({
    method: "POST",
    path: "/api/session/two-factor",
    session: "none",
    summary: "Finishes a sign-in with the second factor.",
    body: bodies.secondFactor,
    answers: { 201: answers.who },
    refuses: [{ code: "wrong_code", status: 401 }, "sign_in_expired", "account_suspended"],
    async handle(call) {
      const { parts, body, now } = call;
      const clientInfo = clientInfoOf(call, body.touchPoints);
      const token = parts.cookies.signInToken(cookieHeader(call));
      const done = await finishWithSecondFactor(parts, token, body, clientInfo, now);
      return done.ok ? signedIn(call, clientInfo, done.started) : done;
    },
  }),
];

type SignedInAnswer = {
  ok: true;
  status: 201;
  body: SignedIn;
  cookies: string[];
  headers: Record<string, string>;
};
type SecondFactorAnswer = { ok: true; status: 202; body: SecondFactorAsked; cookies: string[] };

/** The answer to a first factor of any kind: the session, or what is still to be given. */
export function signInAnswer(
  call: Call,
  clientInfo: ClientInfo,
  done: SignInResult,
): SignedInAnswer | SecondFactorAnswer | Refusal {
  if (!done.ok) return done;
  if ("started" in done) return signedIn(call, clientInfo, done.started);
  const { token, expiresAt } = done.pendingSignIn;
  const twoFactor: SecondFactorAsked["twoFactor"] = {
    methods: [...SECOND_FACTORS],
    expiresAt: iso(expiresAt),
  };
  return { ok: true, status: 202, body: { twoFactor }, cookies: [call.parts.cookies.setSignIn(token)] };
}

/** Where the address is to be verified first, nobody is signed in yet. */
function signedUp(
  call: Call,
  clientInfo: ClientInfo,
  started: Started | null,
): SignedInAnswer | { ok: true; status: 202 } {
  return started === null ? { ok: true, status: 202 } : signedIn(call, clientInfo, started);
}

/** 201 with the session's cookie; the pending sign-in's goes, the device's lives on. */
function signedIn(call: Call, clientInfo: ClientInfo, started: Started): SignedInAnswer {
  const { cookies } = call.parts;
  const { token, session } = started;
  const set = [
    cookies.setSession(token, session.expiresAt, call.now),
    cookies.setDevice(clientInfo.deviceToken),
  ];
  if (cookies.signInToken(cookieHeader(call)) !== null) set.push(cookies.clearSignIn());
  const body = { account: accountAnswer(session), session: sessionAnswer(session, session.id) };
  const headers = registrationOffer(call, started.bindingChallenge);
  return { ok: true, status: 201, body, cookies: set, headers };
}
