import { prove } from "../../changes/give-proof.ts";
import { refuse, sessionHasEnded } from "../../refusals.ts";
import { listSessions } from "../../sessions/list.ts";
import { endInTransaction, endOne, endOthers } from "../../sessions/log-out.ts";
import { MOST_SESSIONS } from "../../sessions/start.ts";
import { accountAnswer, sessionAnswer } from "../answers.ts";
import { browserOf } from "../call.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";

export const sessionRoutes = [
  route({
    method: "GET",
    path: "/api/session",
    session: "required",
    summary: "Who is signed in.",
    answers: { 200: answers.signedIn },
    async handle({ current, parts }) {
      const lastUsedAt = parts.lastUsed.of(current.id, current.lastUsedAt);
      const session = sessionAnswer(current, current.id, lastUsedAt);
      return { ok: true, body: { account: accountAnswer(current), session } };
    },
  }),
  route({
    method: "DELETE",
    path: "/api/session",
    session: "required",
    summary: "Logs out.",
    answers: { 204: null },
    /** Clears the cookie, since the person asked to log out; a 401 never does. */
    async handle({ current, parts, now }) {
      const { accountId, id } = current;
      await endInTransaction(parts, "logged_out", { accountId, id }, { by: null, at: now });
      const { clearSession, clearBound } = parts.cookies;
      return { ok: true, cookies: [clearSession(), ...(current.boundHash === null ? [] : [clearBound()])] };
    },
  }),
  route({
    method: "POST",
    path: "/api/session/proof",
    session: "required",
    summary:
      "Proves for ten minutes that it is still the same person. With 2FA on, the second factor is needed too; alone, it completes a proof from the last ten minutes.",
    body: bodies.proof,
    answers: { 204: null },
    refuses: ["proof_needed", "wrong_password", "wrong_code", { code: "wrong_passkey", status: 422 }],
    handle: (call) => prove(call, { ...call.body, browser: browserOf(call) }),
  }),
  route({
    method: "GET",
    path: "/api/sessions",
    session: "required",
    summary: "The devices that are logged in: the current one first, then the most recently used.",
    answers: { 200: answers.sessions },
    async handle({ current, parts, now }) {
      const listed = await listSessions(parts, current.accountId, now);
      const others = listed.filter(({ id }) => id !== current.id).slice(0, MOST_SESSIONS - 1);
      const own = sessionAnswer(current, current.id, parts.lastUsed.of(current.id, current.lastUsedAt));
      const sessions = [own, ...others.map((session) => sessionAnswer(session, current.id))];
      return { ok: true, body: { sessions } };
    },
  }),
  route({
    method: "DELETE",
    path: "/api/sessions/:id",
    session: "required",
    summary: "Ends one other session.",
    answers: { 204: null },
    refuses: ["not_found", "current_session"],
    async handle({ current, parts, now, param }) {
      const id = param("id");
      if (id === current.id)
        return refuse("current_session", "This is the session in use. Log out with DELETE /api/session.");
      const which = { accountId: current.accountId, id, bySessionId: current.id };
      const ended = await endOne(parts, which, current.label, now);
      if (ended === null) return sessionHasEnded();
      return ended ? { ok: true } : refuse("not_found", "There is no such session.");
    },
  }),
  route({
    method: "DELETE",
    path: "/api/sessions",
    session: "required",
    summary: "Ends all sessions except the current one.",
    answers: { 200: answers.ended },
    async handle({ current, parts, now }) {
      const which = { accountId: current.accountId, exceptId: current.id };
      const ended = await endOthers(parts, which, current.label, now);
      return ended === null ? sessionHasEnded() : { ok: true, body: { ended } };
    },
  }),
];
