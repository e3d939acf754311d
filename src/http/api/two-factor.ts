import { beginTwoFactor, renewCodes, turnTwoFactorOff, turnTwoFactorOn } from "../../changes/two-factor.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";

const CHECKED = ["proof_needed", "wrong_password", "wrong_code", "not_on"] as const;

export const twoFactorRoutes = [
  route({
    method: "POST",
    path: "/api/account/two-factor",
    session: "required",
    summary: "Begins two-factor authentication: the secret for the app.",
    body: bodies.currentPassword,
    answers: { 201: answers.secret },
    refuses: ["proof_needed", "wrong_password", "already_on"],
    async handle({ parts, current, body, now }) {
      const done = await beginTwoFactor(parts, current, body.currentPassword, now);
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
    async handle({ parts, current, body, now }) {
      const done = await turnTwoFactorOn(parts, current, body.code, now);
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
    handle: ({ parts, current, body, now }) => turnTwoFactorOff(parts, current, body, now),
  }),
  route({
    method: "POST",
    path: "/api/account/two-factor/recovery-codes",
    session: "required",
    summary: "Makes new recovery codes; the old ones end.",
    body: bodies.withSecondFactor,
    answers: { 200: answers.recoveryCodes },
    refuses: CHECKED,
    async handle({ parts, current, body, now }) {
      const done = await renewCodes(parts, current, body, now);
      return done.ok ? { ok: true, body: { recoveryCodes: done.recoveryCodes } } : done;
    },
  }),
];
