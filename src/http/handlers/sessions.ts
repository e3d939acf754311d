import { prove } from "../../changes/give-proof.ts";
import { refuse } from "../../refusals.ts";
import { endKnown, endOne, endOthers, listSessions } from "../../sessions/list.ts";
import { MOST_SESSIONS } from "../../sessions/start.ts";
import { accountAnswer, json, noContent, problem, sessionAnswer } from "../answers.ts";
import { bodies } from "../bodies.ts";
import { browserOf, read } from "../call.ts";
import type { SignedInCall } from "../signed-in.ts";

export async function getSession({ acting, parts }: SignedInCall): Promise<Response> {
  const lastUsedAt = parts.lastUsed.of(acting.id, acting.lastUsedAt);
  const session = sessionAnswer(acting, acting.id, lastUsedAt);
  return json(200, { account: accountAnswer(acting), session });
}

/** One's own log-out. It is explicit, so it may clear the cookie; a 401 never does. */
export async function deleteSession({ acting, parts, now }: SignedInCall): Promise<Response> {
  const which = { accountId: acting.accountId, id: acting.id };
  await endKnown(parts.database, which, { reason: "signed_out", by: null, at: now });
  return noContent([parts.cookies.clearSession()]);
}

export async function getSessions({ acting, parts, now }: SignedInCall): Promise<Response> {
  const listed = await listSessions(parts, acting.accountId, now);
  const others = listed.filter(({ id }) => id !== acting.id).slice(0, MOST_SESSIONS - 1);
  const current = sessionAnswer(acting, acting.id, parts.lastUsed.of(acting.id, acting.lastUsedAt));
  return json(200, { sessions: [current, ...others.map((session) => sessionAnswer(session, acting.id))] });
}

export async function deleteOneSession({ acting, parts, now, param }: SignedInCall): Promise<Response> {
  const id = param("id");
  if (id === acting.id) {
    return problem(
      refuse("current_session", "This is the session in use. Log out with DELETE /api/session."),
    );
  }
  const ending = { reason: "signed_out_remotely", by: acting.label, at: now } as const;
  const ended = await endOne(parts, { accountId: acting.accountId, id, bySessionId: acting.id }, ending);
  return ended ? noContent() : problem(refuse("not_found", "There is no such session."));
}

export async function deleteOtherSessions({ acting, parts, now }: SignedInCall): Promise<Response> {
  const which = { accountId: acting.accountId, exceptId: acting.id };
  const ended = await endOthers(parts, which, acting.label, now);
  if (ended === null) return problem(refuse("signed_out", "This session has ended.", { reason: "none" }));
  return json(200, { ended });
}

export async function giveProof(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.proof);
  if (!asked.ok) return problem(asked);
  const { parts, acting, now } = call;
  const done = await prove(parts, acting, { ...asked.body, browser: browserOf(call) }, now);
  return done.ok ? noContent() : problem(done);
}
