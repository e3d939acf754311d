import type { ClientInfo, Started } from "../../sessions/start.ts";
import { finishWithSecondFactor } from "../../sign-in/pending-sign-in.ts";
import type { SignInResult } from "../../sign-in/sign-in.ts";
import { signIn } from "../../sign-in/sign-in.ts";
import { finishSignUp, signUp, signUpWithPasskey } from "../../sign-in/sign-up.ts";
import { accountAnswer, iso, json, problem, sessionAnswer } from "../answers.ts";
import { bodies } from "../bodies.ts";
import type { Call } from "../call.ts";
import { browserOf, clientInfoOf, cookieHeader, read } from "../call.ts";

export async function createAccount(call: Call): Promise<Response> {
  const asked = await read(call, bodies.signUp(call.parts.settings.signUp));
  if (!asked.ok) return problem(asked);
  const { email, password, passkey, touchPoints } = asked.body;
  const clientInfo = clientInfoOf(call, touchPoints);
  const done =
    passkey === undefined
      ? await signUp(call.parts, { email, password: String(password ?? "") }, clientInfo, call.now)
      : await signUpWithPasskey(
          call.parts,
          { email, passkey, browser: browserOf(call) },
          clientInfo,
          call.now,
        );
  if (!done.ok) return problem(done);
  return done.started === null ? json(202, {}) : signedIn(call, clientInfo, done.started);
}

export async function finishAccount(call: Call): Promise<Response> {
  const asked = await read(call, bodies.finishSignUp);
  if (!asked.ok) return problem(asked);
  const clientInfo = clientInfoOf(call, asked.body.touchPoints);
  const done = await finishSignUp(call.parts, asked.body, clientInfo, call.now);
  if (!done.ok) return problem(done);
  return done.started === null ? json(202, {}) : signedIn(call, clientInfo, done.started);
}

export async function createSession(call: Call): Promise<Response> {
  const asked = await read(call, bodies.signIn);
  if (!asked.ok) return problem(asked);
  const clientInfo = clientInfoOf(call, asked.body.touchPoints);
  return answerSignIn(call, clientInfo, await signIn(call.parts, asked.body, clientInfo, call.now));
}

/** The answer to a first factor of any kind: the session, or what is still to be given. */
export async function answerSignIn(
  call: Call,
  clientInfo: ClientInfo,
  done: SignInResult,
): Promise<Response> {
  if (!done.ok) return problem(done);
  if ("started" in done) return signedIn(call, clientInfo, done.started);
  const { token, expiresAt } = done.pendingSignIn;
  const twoFactor = { methods: ["totp", "recovery_code"], expiresAt: iso(expiresAt) };
  return json(202, { twoFactor }, [call.parts.cookies.setSignIn(token)]);
}

export async function giveSecondFactor(call: Call): Promise<Response> {
  const asked = await read(call, bodies.secondFactor);
  if (!asked.ok) return problem(asked);
  const clientInfo = clientInfoOf(call, asked.body.touchPoints);
  const token = call.parts.cookies.signInToken(cookieHeader(call));
  const done = await finishWithSecondFactor(call.parts, token, asked.body, clientInfo, call.now);
  return done.ok ? signedIn(call, clientInfo, done.started) : problem(done);
}

/** 201 with the session's cookie; the pending sign-in's goes, the device's lives on. */
export async function signedIn(call: Call, clientInfo: ClientInfo, started: Started): Promise<Response> {
  const { parts, now } = call;
  const { token, session } = started;
  const cookies = [
    parts.cookies.setSession(token, session.expiresAt, now),
    parts.cookies.setDevice(clientInfo.deviceToken),
  ];
  if (parts.cookies.signInToken(cookieHeader(call)) !== null) cookies.push(parts.cookies.clearSignIn());
  return json(201, { account: accountAnswer(session), session: sessionAnswer(session, session.id) }, cookies);
}
