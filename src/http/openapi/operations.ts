import type { z } from "zod";
import type { Settings } from "../../options/options.ts";
import type { RefusalCode } from "../../refusals.ts";
import { answers } from "../answer-schemas.ts";
import { bodies } from "../bodies.ts";

/** One row of the API as it is described: what it takes, what it answers, what it refuses. */
export type Operation = {
  does: string;
  /** What it takes; the one of a sign-up depends on who may. */
  body?: z.ZodType | ((signUp: Settings["signUp"]) => z.ZodType);
  query?: string;
  /** By status; `null` where the answer has no body. */
  answers: Record<number, z.ZodType | null>;
  refuses?: (RefusalCode | { code: RefusalCode; status: number })[];
  /** Whether it needs a live session. */
  session?: boolean;
};

const session = true;
const { nothing, who, secondFactorAsked, recoveryCodes } = answers;
const signedIn = { 201: who, 202: secondFactorAsked };
const PROOF = ["proof_needed", "wrong_password"] as const;
const WITH_CODE = [...PROOF, "wrong_code", "not_on"] as const;

/** The API, row for row as in the routes. */
export const operations: Record<string, Operation> = {
  "POST /api/accounts": {
    does: "Creates an account and signs in; with verify-first, sends an email instead.",
    body: bodies.signUp,
    answers: { 201: who, 202: nothing },
    refuses: [
      "invalid_email",
      "weak_password",
      "email_taken",
      "sign_up_closed",
      "method_taken",
      "wrong_passkey",
      { code: "wrong_passkey", status: 422 },
    ],
  },
  "PUT /api/accounts": {
    does: "Finishes a sign-up with the token of the email.",
    body: bodies.finishSignUp,
    answers: { 201: who, 202: nothing },
    refuses: ["link_expired", "weak_password"],
  },
  "POST /api/session": {
    does: "Signs in with a password.",
    body: bodies.signIn,
    answers: signedIn,
    refuses: ["wrong_credentials", "account_suspended"],
  },
  "POST /api/session/two-factor": {
    does: "Finishes a sign-in with the second factor.",
    body: bodies.secondFactor,
    answers: { 201: who },
    refuses: [{ code: "wrong_code", status: 401 }, "sign_in_expired", "account_suspended"],
  },
  "GET /api/session": { does: "Who is signed in.", answers: { 200: who }, session },
  "DELETE /api/session": { does: "Logs out.", answers: { 204: null }, session },
  "POST /api/session/proof": {
    does: "Proves that it is still the person, for ten minutes: with the second factor too where 2FA is on; alone it completes a proof of the last ten minutes.",
    body: bodies.proof,
    answers: { 204: null },
    refuses: [...PROOF, "wrong_code", { code: "wrong_passkey", status: 422 }],
    session,
  },
  "POST /api/session/passkey/options": {
    does: "Options for signing in with a passkey, the same for everybody.",
    body: bodies.passkeySignInOptions,
    answers: { 200: answers.passkeyOptions },
    refuses: ["not_found"],
  },
  "POST /api/session/passkey": {
    does: "Signs in with a passkey.",
    body: bodies.passkey,
    answers: signedIn,
    refuses: ["wrong_passkey", "account_suspended", "not_found"],
  },
  "POST /api/passkeys/options": {
    does: "Options for making a passkey: for the account signed in, or with an email for a sign-up.",
    body: bodies.passkeyOptions,
    answers: { 200: answers.passkeyOptions },
    refuses: ["signed_out", "proof_needed", "sign_up_closed", "invalid_email", "not_found"],
  },
  "POST /api/passkeys": {
    does: "Adds a passkey.",
    body: bodies.passkey,
    answers: { 201: answers.added },
    refuses: [
      { code: "wrong_passkey", status: 422 },
      "proof_needed",
      "method_taken",
      "too_many_passkeys",
      "not_found",
    ],
    session,
  },
  "GET /api/oidc/{provider}/start": {
    does: "Sends the browser to a provider to sign in.",
    query: "next",
    answers: { 302: null },
    refuses: ["not_found", "cross_site"],
  },
  "POST /api/oidc/{provider}/start": {
    does: "Where to send the browser to connect a provider, or to prove with it that it is still the person.",
    body: bodies.oidcStart,
    answers: { 200: answers.address },
    refuses: ["not_found", "proof_needed", "method_taken", "provider_failed"],
    session,
  },
  "GET /api/oidc/{provider}/callback": {
    does: "The way back from a provider; leads to a page.",
    answers: { 302: null },
    refuses: ["not_found"],
  },
  "GET /api/sessions": {
    does: "The devices that are logged in: the current one first, then the last used.",
    answers: { 200: answers.sessions },
    session,
  },
  "DELETE /api/sessions/{id}": {
    does: "Ends one other session.",
    answers: { 204: null },
    refuses: ["not_found", "current_session"],
    session,
  },
  "DELETE /api/sessions": {
    does: "Ends all sessions but the current one.",
    answers: { 200: answers.ended },
    session,
  },
  "PUT /api/account/password": {
    does: "Changes or adds the password; all other sessions end.",
    body: bodies.changePassword,
    answers: { 204: null },
    refuses: [...PROOF, "weak_password"],
    session,
  },
  "PUT /api/account/email": {
    does: "Asks for a new email address: the email to it confirms it.",
    body: bodies.changeEmail,
    answers: { 202: nothing },
    refuses: [...PROOF, "wrong_code", "invalid_email"],
    session,
  },
  "POST /api/account/email/verification": {
    does: "Sends a new email that confirms the address of the account.",
    answers: { 202: nothing },
    refuses: ["already_verified"],
    session,
  },
  "POST /api/account/two-factor": {
    does: "Begins two-factor authentication: the secret for the app.",
    body: bodies.currentPassword,
    answers: { 201: answers.secret },
    refuses: [...PROOF, "already_on"],
    session,
  },
  "PUT /api/account/two-factor": {
    does: "Semaphore two-factor authentication on with a first code.",
    body: bodies.code,
    answers: { 200: recoveryCodes },
    refuses: ["wrong_code", "already_on", "proof_needed"],
    session,
  },
  "DELETE /api/account/two-factor": {
    does: "Semaphore two-factor authentication off.",
    body: bodies.withSecondFactor,
    answers: { 204: null },
    refuses: [...WITH_CODE],
    session,
  },
  "POST /api/account/two-factor/recovery-codes": {
    does: "Makes new recovery codes; the old ones end.",
    body: bodies.withSecondFactor,
    answers: { 200: recoveryCodes },
    refuses: [...WITH_CODE],
    session,
  },
  "GET /api/account/login-methods": {
    does: "Every way to log in to the account.",
    answers: { 200: answers.methods },
    session,
  },
  "PUT /api/account/login-methods/{id}": {
    does: "Renames a passkey.",
    body: bodies.rename,
    answers: { 204: null },
    refuses: ["not_found", "proof_needed"],
    session,
  },
  "DELETE /api/account/login-methods/{id}": {
    does: "Disconnects a login method, until it is the last.",
    answers: { 204: null },
    refuses: ["last_login_method", "proof_needed", "not_found"],
    session,
  },
  "DELETE /api/account": {
    does: "Deletes the account and all that belongs to it.",
    body: bodies.withSecondFactor,
    answers: { 204: null },
    refuses: [...PROOF, "wrong_code"],
    session,
  },
  "POST /api/email-confirmations/preview": {
    does: "Says what the link of a confirmation email would confirm; changes nothing.",
    body: bodies.token,
    answers: { 200: answers.confirmation },
    refuses: ["link_expired"],
  },
  "POST /api/email-confirmations": {
    does: "Confirms an email address with the token of the email; of a change, in a browser that is signed in to that account.",
    body: bodies.confirmEmail,
    answers: { 204: null },
    refuses: ["link_expired", "signed_out", "other_account"],
  },
  "POST /api/email-reversals": {
    does: "Cancels or undoes a change of the email address.",
    body: bodies.token,
    answers: { 204: null },
    refuses: ["link_expired"],
  },
  "POST /api/password-resets": {
    does: "Sends an email with a reset link, if the address has an account.",
    body: bodies.askForReset,
    answers: { 202: nothing },
  },
  "PUT /api/password-resets": {
    does: "Sets a new password with the token of the email; all sessions end.",
    body: bodies.resetPassword,
    answers: { 204: null },
    refuses: ["link_expired", "weak_password"],
  },
  "POST /api/not-me": {
    does: "Ends the session that an email told of, and begins a reset.",
    body: bodies.token,
    answers: { 204: null },
    refuses: ["link_expired"],
  },
  "GET /api/activity": {
    does: "What happened to the account, the newest first, 50 at a time.",
    query: "before",
    answers: { 200: answers.events },
    refuses: ["not_found"],
    session,
  },
};
