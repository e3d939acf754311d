import { SECOND_FACTORS } from "../../answers.ts";
import type { Visit } from "../../credentials/parts.ts";
import type { Started } from "../../sessions/start.ts";
import { finishWithSecondFactor } from "../../sign-in/pending-sign-in.ts";
import { type SignInResult, signIn } from "../../sign-in/sign-in.ts";
import { finishSignUp, signUp, signUpWithPasskey } from "../../sign-in/sign-up.ts";
import { iso, signedInAnswer } from "../answers.ts";
import { browserOf, type Call, cookieHeader, visitOf } from "../call.ts";
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
    answers: { 201: answers.signedIn, 202: answers.nothing },
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
      const { email, password, passkey, touchPoints } = call.body;
      const visit = visitOf(call, touchPoints);
      const done =
        passkey === undefined
          ? await signUp(visit, { email, password: String(password ?? "") })
          : await signUpWithPasskey(visit, { email, passkey, browser: browserOf(call) });
      return done.ok ? signedUp(call, visit, done.started) : done;
    },
  }),
  route({
    method: "PUT",
    path: "/api/accounts",
    session: "none",
    summary: "Finishes a sign-up with the token from the email.",
    body: bodies.finishSignUp,
    answers: { 201: answers.signedIn },
    refuses: ["link_expired", "weak_password"],
    async handle(call) {
      const visit = visitOf(call, call.body.touchPoints);
      const done = await finishSignUp(visit, call.body);
      return done.ok ? signedIn(call, visit, done.started) : done;
    },
  }),
  route({
    method: "POST",
    path: "/api/session",
    session: "none",
    summary: "Signs in with a password.",
    body: bodies.signIn,
    answers: { 201: answers.signedIn, 202: answers.secondFactorAsked },
    refuses: ["wrong_credentials", "account_suspended"],
    async handle(call) {
      const visit = visitOf(call, call.body.touchPoints);
      return signInAnswer(call, visit, await signIn(visit, call.body));
    },
  }),
  route({
    method: "POST",
    path: "/api/session/two-factor",
    session: "none",
    summary: "Finishes a sign-in with the second factor.",
    body: bodies.secondFactor,
    answers: { 201: answers.signedIn },
    refuses: [{ code: "wrong_code", status: 401 }, "sign_in_expired", "account_suspended"],
    async handle(call) {
      const { parts, body } = call;
      const visit = visitOf(call, body.touchPoints);
      const token = parts.cookies.signInToken(cookieHeader(call));
      const done = await finishWithSecondFactor(visit, token, body);
      return done.ok ? signedIn(call, visit, done.started) : done;
    },
  }),
];

/** The answer to a first factor of any kind: the session, or the second factor that is still needed. */
export function signInAnswer(call: Call, visit: Visit, done: SignInResult) {
  if (!done.ok) return done;
  if ("started" in done) return signedIn(call, visit, done.started);
  const { token, expiresAt } = done.pendingSignIn;
  const twoFactor = { methods: [...SECOND_FACTORS], expiresAt: iso(expiresAt) };
  const cookies = [call.parts.cookies.setSignIn(token)];
  return { ok: true, status: 202, body: { twoFactor }, cookies } as const;
}

/** If the address must be verified first, nobody is signed in yet. */
function signedUp(call: Call, visit: Visit, started: Started | null) {
  return started === null ? ({ ok: true, status: 202 } as const) : signedIn(call, visit, started);
}

/** Sets the cookies of the session and the device, and clears that of a pending sign-in. */
function signedIn(call: Call, { clientInfo }: Visit, started: Started) {
  const { cookies } = call.parts;
  const { token, session } = started;
  const set = [
    cookies.setSession(token, session.expiresAt, call.now),
    cookies.setDevice(clientInfo.deviceToken),
  ];
  if (cookies.signInToken(cookieHeader(call)) !== null) set.push(cookies.clearSignIn());
  const headers = registrationOffer(call, started);
  return { ok: true, status: 201, body: signedInAnswer(session), cookies: set, headers } as const;
}
