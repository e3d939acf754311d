import { prove } from "../../changes/give-proof.ts";
import { refuse } from "../../refusals.ts";
import { listSessions } from "../../sessions/list.ts";
import { endOne, endOthers, logOut } from "../../sessions/log-out.ts";
import { MOST_SESSIONS } from "../../sessions/start.ts";
import { accountAnswer, json, noContent, problem, sessionAnswer } from "../answers.ts";
import { bodies } from "../bodies.ts";
import { browserOf, read } from "../call.ts";
import type { SignedInCall } from "../signed-in.ts";

export async function getSession({ current, parts }: SignedInCall): Promise<Response> {
  const lastUsedAt = parts.lastUsed.of(current.id, current.lastUsedAt);
  const session = sessionAnswer(current, current.id, lastUsedAt);
  return json(200, { account: accountAnswer(current), session });
}

/** One's own log-out. It is explicit, so it may clear the cookie; a 401 never does. */
export async function deleteSession({ current, parts, now }: SignedInCall): Promise<Response> {
  await logOut(parts.database, { accountId: current.accountId, id: current.id }, now);
  return noContent([parts.cookies.clearSession()]);
}

export async function getSessions({ current, parts, now }: SignedInCall): Promise<Response> {
  const listed = await listSessions(parts, current.accountId, now);
  const others = listed.filter(({ id }) => id !== current.id).slice(0, MOST_SESSIONS - 1);
  const own = sessionAnswer(current, current.id, parts.lastUsed.of(current.id, current.lastUsedAt));
  return json(200, { sessions: [own, ...others.map((session) => sessionAnswer(session, current.id))] });
}

export async function deleteOneSession({ current, parts, now, param }: SignedInCall): Promise<Response> {
  const id = param("id");
  if (id === current.id) {
    return problem(
      refuse("current_session", "This is the session in use. Log out with DELETE /api/session."),
    );
  }
  const which = { accountId: current.accountId, id, bySessionId: current.id };
  const ended = await endOne(parts, which, current.label, now);
  return ended ? noContent() : problem(refuse("not_found", "There is no such session."));
}

export async function deleteOtherSessions({ current, parts, now }: SignedInCall): Promise<Response> {
  const which = { accountId: current.accountId, exceptId: current.id };
  const ended = await endOthers(parts, which, current.label, now);
  if (ended === null) return problem(refuse("signed_out", "This session has ended.", { reason: "none" }));
  return json(200, { ended });
}

export async function giveProof(call: SignedInCall): Promise<Response> {
  const asked = await read(call, bodies.proof);
  if (!asked.ok) return problem(asked);
  const { parts, current, now } = call;
  const done = await prove(parts, current, { ...asked.body, browser: browserOf(call) }, now);
  return done.ok ? noContent() : problem(done);
}
