import type { SignedOut } from "../../answers.ts";
import { type ConfirmingVisit, confirmEmail, previewConfirmation } from "../../changes/email-verification.ts";
import { reverseEmailChange } from "../../recovery/email-reversal.ts";
import { reportSession } from "../../recovery/not-me.ts";
import { askForReset, resetPassword } from "../../recovery/password-reset.ts";
import { iso } from "../answers.ts";
import { type Call, visitOf } from "../call.ts";
import type { Identity } from "../identify.ts";
import { route } from "../route.ts";
import { answers } from "./answer-schemas.ts";
import { bodies } from "./bodies.ts";

/** Routes for the links in emails, for people who are signed in and for those who aren't. */
export const emailedLinkRoutes = [
  route({
    method: "POST",
    path: "/api/email-confirmations/preview",
    session: "optional",
    summary: "Says what the link of a confirmation email would confirm; changes nothing.",
    body: bodies.token,
    answers: { 200: answers.confirmation },
    refuses: ["link_expired"],
    async handle(call) {
      const done = await previewConfirmation(confirming(call), call.body.token);
      if (!done.ok) return done;
      const { createdAt, ...confirmation } = done.confirmation;
      return { ok: true, body: { ...confirmation, createdAt: iso(createdAt) } };
    },
  }),
  route({
    method: "POST",
    path: "/api/email-confirmations",
    session: "optional",
    summary:
      "Confirms an email address with the token from the email; a change only in a browser that is signed in to that account.",
    body: bodies.confirmEmail,
    answers: { 204: null },
    refuses: ["link_expired", "signed_out", "other_account"],
    handle: (call) => confirmEmail(confirming(call), call.body),
  }),
  route({
    method: "POST",
    path: "/api/email-reversals",
    session: "none",
    summary: "Cancels or undoes a change of the email address.",
    body: bodies.token,
    answers: { 204: null },
    refuses: ["link_expired"],
    handle: (call) => reverseEmailChange(visitOf(call), call.body.token),
  }),
  route({
    method: "POST",
    path: "/api/password-resets",
    session: "none",
    summary: "Sends an email with a reset link, if the address has an account.",
    body: bodies.askForReset,
    answers: { 202: answers.nothing },
    handle: (call) => askForReset(visitOf(call), call.body.email),
  }),
  route({
    method: "PUT",
    path: "/api/password-resets",
    session: "none",
    summary: "Sets a new password with the token from the email; all sessions end.",
    body: bodies.resetPassword,
    answers: { 204: null },
    refuses: ["link_expired", "weak_password"],
    handle: (call) => resetPassword(visitOf(call), call.body),
  }),
  route({
    method: "POST",
    path: "/api/not-me",
    session: "none",
    summary: "Ends the session that an email reported, and begins a reset.",
    body: bodies.token,
    answers: { 204: null },
    refuses: ["link_expired"],
    handle: (call) => reportSession(visitOf(call), call.body.token),
  }),
];

function confirming(call: Call & { who: Identity | SignedOut }): ConfirmingVisit {
  const { who } = call;
  const session =
    "session" in who ? { current: who.current, signedOut: {} } : { current: null, signedOut: who };
  return { ...visitOf(call), ...session };
}
