import { closeAccount } from "../../changes/close-account.ts";
import { askForEmailChange } from "../../changes/email-change.ts";
import type { Confirmer } from "../../changes/email-verification.ts";
import { askForVerification, confirmEmail, previewConfirmation } from "../../changes/email-verification.ts";
import { disconnect, renameMethod } from "../../changes/login-methods.ts";
import { changePassword } from "../../changes/password.ts";
import { listLoginMethods } from "../../credentials/login-method-list.ts";
import { readActivity } from "../../history/activity.ts";
import { reverseEmailChange } from "../../recovery/email-reversal.ts";
import { reportSession } from "../../recovery/not-me.ts";
import { askForReset, resetPassword } from "../../recovery/password-reset.ts";
import { refuse } from "../../refusals.ts";
import { iso, json, noContent, problem, signedOutFacts } from "../answers.ts";
import { bodies } from "../bodies.ts";
import type { Call } from "../call.ts";
import { clientInfoOf, read } from "../call.ts";
import { handOver } from "../hand-over.ts";
import { actingIn, currentSession, type SignedInCall } from "../signed-in.ts";

export async function putPassword(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.changePassword);
  if (!asked.ok) return problem(asked);
  const { parts, current, now } = call;
  const done = await changePassword(parts, current, asked.body, now);
  return done.ok ? noContent() : problem(done);
}

export async function putEmail(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.changeEmail);
  if (!asked.ok) return problem(asked);
  const asking = clientInfoOf(call);
  const done = await askForEmailChange(call.parts, call.current, { ...asked.body, asking }, call.now);
  return done.ok ? json(202, {}) : problem(done);
}

export async function postVerification(call: SignedInCall): Promise<Response> {
  const done = await askForVerification(call.parts, call.current, clientInfoOf(call), call.now);
  return done.ok ? json(202, {}) : problem(done);
}

export async function postEmailConfirmation(call: Call): Promise<Response> {
  const asked = await read(call, bodies.confirmEmail);
  if (!asked.ok) return problem(asked);
  return asSomebody(call, async (by) => {
    const done = await confirmEmail(call.parts, asked.body, by, call.now);
    return done.ok ? noContent() : problem(done);
  });
}

export async function postConfirmationPreview(call: Call): Promise<Response> {
  const asked = await read(call, bodies.token);
  if (!asked.ok) return problem(asked);
  return asSomebody(call, async (by) => {
    const done = await previewConfirmation(call.parts, asked.body.token, by, call.now);
    if (!done.ok) return problem(done);
    const { createdAt, ...confirmation } = done.confirmation;
    return json(200, { ...confirmation, createdAt: iso(createdAt) });
  });
}

/** For the one who opened a link: signed in or not. A session counts as used, as everywhere. */
async function asSomebody(call: Call, answer: (by: Confirmer) => Promise<Response>): Promise<Response> {
  const clientInfo = clientInfoOf(call);
  const who = await currentSession(call);
  if (!("session" in who)) return answer({ current: null, signedOut: signedOutFacts(who), clientInfo });
  return handOver(
    call,
    who,
    await answer({ current: actingIn(call, who.session), signedOut: {}, clientInfo }),
  );
}

export async function postEmailReversal(call: Call): Promise<Response> {
  const asked = await read(call, bodies.token);
  if (!asked.ok) return problem(asked);
  const done = await reverseEmailChange(call.parts, asked.body.token, clientInfoOf(call), call.now);
  return done.ok ? noContent() : problem(done);
}

export async function postPasswordReset(call: Call): Promise<Response> {
  const asked = await read(call, bodies.askForReset);
  if (!asked.ok) return problem(asked);
  const done = await askForReset(call.parts, asked.body.email, clientInfoOf(call), call.now);
  return done.ok ? json(202, {}) : problem(done);
}

export async function putPasswordReset(call: Call): Promise<Response> {
  const asked = await read(call, bodies.resetPassword);
  if (!asked.ok) return problem(asked);
  const done = await resetPassword(call.parts, asked.body, clientInfoOf(call), call.now);
  return done.ok ? noContent() : problem(done);
}

export async function postNotMe(call: Call): Promise<Response> {
  const asked = await read(call, bodies.token);
  if (!asked.ok) return problem(asked);
  const done = await reportSession(call.parts, asked.body.token, clientInfoOf(call), call.now);
  return done.ok ? noContent() : problem(done);
}

export async function deleteAccount(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.withSecondFactor);
  if (!asked.ok) return problem(asked);
  const { parts, current, now } = call;
  const done = await closeAccount(parts, current, asked.body, now);
  return done.ok ? noContent([parts.cookies.clearSession()]) : problem(done);
}

export async function getLoginMethods({ parts, current }: SignedInCall): Promise<Response> {
  const { methods, needed } = await listLoginMethods(parts, current.accountId);
  return json(200, {
    methods: methods.map((method) => ({
      ...method,
      createdAt: iso(method.createdAt),
      lastUsedAt: method.lastUsedAt === null ? null : iso(method.lastUsedAt),
    })),
    needed,
  });
}

export async function deleteLoginMethod({ parts, current, now, param }: SignedInCall): Promise<Response> {
  const done = await disconnect(parts, current, param("id"), now);
  return done.ok ? noContent() : problem(done);
}

export async function putLoginMethod(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.rename);
  if (!asked.ok) return problem(asked);
  const done = await renameMethod(call.parts, call.current, call.param("id"), asked.body.name);
  return done.ok ? noContent() : problem(done);
}

const EVENT_ID = /^[a-z0-9]{1,64}$/;

export async function getActivity({ parts, current, request }: SignedInCall): Promise<Response> {
  const before = new URL(request.url).searchParams.get("before");
  const known = before === null || EVENT_ID.test(before);
  const events = known ? await readActivity(parts.database, current.accountId, before) : null;
  if (events === null) return problem(refuse("not_found", "There is no such event."));
  return json(200, { events: events.map((event) => ({ ...event, at: iso(event.at) })) });
}
