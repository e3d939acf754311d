import { z } from "zod";
import { closeAccount } from "../../changes/close-account.ts";
import { askForEmailChange } from "../../changes/email-change.ts";
import { askForVerification } from "../../changes/email-verification.ts";
import { disconnect, renameMethod } from "../../changes/login-methods.ts";
import { changePassword } from "../../changes/password.ts";
import { listLoginMethods } from "../../credentials/login-method-list.ts";
import { readActivity } from "../../history/activity.ts";
import { refuse } from "../../refusals.ts";
import { iso } from "../answers.ts";
import { clientInfoOf } from "../call.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";

const EVENT_ID = /^[a-z0-9]{1,64}$/;

export const accountRoutes = [
  route({
    method: "PUT",
    path: "/api/account/password",
    session: "required",
    summary: "Changes or adds the password; all other sessions end.",
    body: bodies.changePassword,
    answers: { 204: null },
    refuses: ["proof_needed", "wrong_password", "weak_password"],
    handle: (call) => changePassword(call, call.body),
  }),
  route({
    method: "PUT",
    path: "/api/account/email",
    session: "required",
    summary: "Asks for a new email address, which the link in an email to it confirms.",
    body: bodies.changeEmail,
    answers: { 202: answers.nothing },
    refuses: ["proof_needed", "wrong_password", "wrong_code", "invalid_email"],
    handle: (call) => askForEmailChange(call, { ...call.body, asking: clientInfoOf(call) }),
  }),
  route({
    method: "POST",
    path: "/api/account/email/verification",
    session: "required",
    summary: "Sends a new email that confirms the address of the account.",
    answers: { 202: answers.nothing },
    refuses: ["already_verified"],
    handle: (call) => askForVerification(call, clientInfoOf(call)),
  }),
  route({
    method: "GET",
    path: "/api/account/login-methods",
    session: "required",
    summary: "Every way to log in to the account.",
    answers: { 200: answers.methods },
    async handle({ parts, current }) {
      const { methods, needed } = await listLoginMethods(parts, current.accountId);
      const shown = methods.map((method) => ({
        ...method,
        createdAt: iso(method.createdAt),
        lastUsedAt: method.lastUsedAt === null ? null : iso(method.lastUsedAt),
      }));
      return { ok: true, body: { methods: shown, needed } };
    },
  }),
  route({
    method: "PUT",
    path: "/api/account/login-methods/:id",
    session: "required",
    summary: "Renames a passkey.",
    body: bodies.rename,
    answers: { 204: null },
    refuses: ["not_found", "proof_needed"],
    handle: (call) => renameMethod(call, call.param("id"), call.body.name),
  }),
  route({
    method: "DELETE",
    path: "/api/account/login-methods/:id",
    session: "required",
    summary: "Disconnects a login method, unless it is the last.",
    answers: { 204: null },
    refuses: ["last_login_method", "proof_needed", "not_found"],
    handle: (call) => disconnect(call, call.param("id")),
  }),
  route({
    method: "DELETE",
    path: "/api/account",
    session: "required",
    summary: "Deletes the account and everything that belongs to it.",
    body: bodies.withSecondFactor,
    answers: { 204: null },
    refuses: ["proof_needed", "wrong_password", "wrong_code"],
    async handle(call) {
      const done = await closeAccount(call, call.body);
      return done.ok ? { ok: true, cookies: [call.parts.cookies.clearSession()] } : done;
    },
  }),
  route({
    method: "GET",
    path: "/api/activity",
    session: "required",
    summary: "What happened to the account, newest first, 50 at a time.",
    query: { before: z.string() },
    answers: { 200: answers.events },
    refuses: ["not_found"],
    async handle({ parts, current, request }) {
      const before = new URL(request.url).searchParams.get("before");
      const known = before === null || EVENT_ID.test(before);
      const events = known ? await readActivity(parts.database, current.accountId, before) : null;
      if (events === null) return refuse("not_found", "There is no such event.");
      return { ok: true, body: { events: events.map((event) => ({ ...event, at: iso(event.at) })) } };
    },
  }),
];
