import { beginTwoFactor, renewCodes, turnTwoFactorOff, turnTwoFactorOn } from "../../changes/two-factor.ts";
import { json, noContent, problem } from "../answers.ts";
import { bodies } from "../bodies.ts";
import { read } from "../call.ts";
import type { SignedInCall } from "../signed-in.ts";

export async function postTwoFactor(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.currentPassword);
  if (!asked.ok) return problem(asked);
  const done = await beginTwoFactor(call.parts, call.current, asked.body.currentPassword, call.now);
  return done.ok ? json(201, { secret: done.secret, uri: done.uri }) : problem(done);
}

export async function putTwoFactor(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.code);
  if (!asked.ok) return problem(asked);
  const done = await turnTwoFactorOn(call.parts, call.current, asked.body.code, call.now);
  return done.ok ? json(200, { recoveryCodes: done.recoveryCodes }) : problem(done);
}

export async function deleteTwoFactor(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.withSecondFactor);
  if (!asked.ok) return problem(asked);
  const done = await turnTwoFactorOff(call.parts, call.current, asked.body, call.now);
  return done.ok ? noContent() : problem(done);
}

export async function postRecoveryCodes(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.withSecondFactor);
  if (!asked.ok) return problem(asked);
  const done = await renewCodes(call.parts, call.current, asked.body, call.now);
  return done.ok ? json(200, { recoveryCodes: done.recoveryCodes }) : problem(done);
}
