import { beginTwoFactor, renewCodes, turnTwoFactorOff, turnTwoFactorOn } from "../../changes/two-factor.ts";
import { countRecoveryCodes } from "../../credentials/recovery-codes.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";

const CHECKED = ["proof_needed", "wrong_password", "wrong_code", "not_on"] as const;

export const twoFactorRoutes = [
  route({
    method: "GET",
    path: "/api/account/two-factor",
    session: "required",
    summary: "How many recovery codes are left; 0 where two-factor authentication is off.",
    answers: { 200: answers.recoveryCodesLeft },
    async handle({ parts, current }) {
      const recoveryCodesLeft = await countRecoveryCodes(parts.database.read, current.accountId);
      return { ok: true, body: { recoveryCodesLeft } };
    },
  }),
  route({
    method: "POST",
    path: "/api/account/two-factor",
    session: "required",
    summary: "Begins two-factor authentication: the secret for the app.",
    body: bodies.currentPassword,
    answers: { 201: answers.secret },
    refuses: ["proof_needed", "wrong_password", "already_on"],
    async handle(call) {
      const done = await beginTwoFactor(call, call.body.currentPassword);
      return done.ok ? { ok: true, body: { secret: done.secret, uri: done.uri } } : done;
    },
  }),
  route({
    method: "PUT",
    path: "/api/account/two-factor",
    session: "required",
    summary: "Turns two-factor authentication on with a first code.",
    body: bodies.code,
    answers: { 200: answers.recoveryCodes },
    refuses: ["wrong_code", "already_on", "proof_needed"],
    async handle(call) {
      const done = await turnTwoFactorOn(call, call.body.code);
      return done.ok ? { ok: true, body: { recoveryCodes: done.recoveryCodes } } : done;
    },
  }),
  route({
    method: "DELETE",
    path: "/api/account/two-factor",
    session: "required",
    summary: "Turns two-factor authentication off.",
    body: bodies.withSecondFactor,
    answers: { 204: null },
    refuses: CHECKED,
    handle: (call) => turnTwoFactorOff(call, call.body),
  }),
  route({
    method: "POST",
    path: "/api/account/two-factor/recovery-codes",
    session: "required",
    summary: "Makes new recovery codes; the old ones end.",
    body: bodies.withSecondFactor,
    answers: { 200: answers.recoveryCodes },
    refuses: CHECKED,
    async handle(call) {
      const done = await renewCodes(call, call.body);
      return done.ok ? { ok: true, body: { recoveryCodes: done.recoveryCodes } } : done;
    },
  }),
];
