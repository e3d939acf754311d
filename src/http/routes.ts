import type { Call } from "./call.ts";
import type { Dashboard } from "./dashboard.ts";
import * as account from "./handlers/account.ts";
import { getEmail, getEmails } from "./handlers/development-emails.ts";
import { verify } from "./handlers/forward-auth.ts";
import { getHealth, getReadiness } from "./handlers/health.ts";
import { getLive } from "./handlers/live.ts";
import * as oidc from "./handlers/oidc.ts";
import { getOpenApi } from "./handlers/openapi.ts";
import { pages } from "./handlers/pages.ts";
import * as passkeys from "./handlers/passkeys.ts";
import { wherePasskeysAre } from "./handlers/passkeys.ts";
import * as sessions from "./handlers/sessions.ts";
import * as signIn from "./handlers/sign-in.ts";
import * as twoFactor from "./handlers/two-factor.ts";
import { signedIn } from "./signed-in.ts";

export type Route = [
  method: "GET" | "POST" | "PUT" | "DELETE" | "ALL",
  path: string,
  handle: (call: Call) => Promise<Response>,
];

/** The API, on one page. `signedIn` marks what needs a live session. */
export const api: Route[] = [
  ["POST", "/api/accounts", signIn.createAccount],
  ["PUT", "/api/accounts", signIn.finishAccount],

  ["POST", "/api/session", signIn.createSession],
  ["POST", "/api/session/two-factor", signIn.giveSecondFactor],
  ["GET", "/api/session", signedIn(sessions.getSession)],
  ["DELETE", "/api/session", signedIn(sessions.deleteSession)],
  ["POST", "/api/session/proof", signedIn(sessions.giveProof)],

  ["POST", "/api/session/passkey/options", wherePasskeysAre(passkeys.postPasskeySignInOptions)],
  ["POST", "/api/session/passkey", wherePasskeysAre(passkeys.postPasskeySession)],
  ["POST", "/api/passkeys/options", wherePasskeysAre(passkeys.postPasskeyOptions)],
  ["POST", "/api/passkeys", wherePasskeysAre(signedIn(passkeys.postPasskey))],

  ["GET", "/api/oidc/:provider/start", oidc.getOidcStart],
  ["POST", "/api/oidc/:provider/start", signedIn(oidc.postOidcStart)],
  ["GET", "/api/oidc/:provider/callback", oidc.getOidcCallback],

  ["GET", "/api/sessions", signedIn(sessions.getSessions)],
  ["DELETE", "/api/sessions/:id", signedIn(sessions.deleteOneSession)],
  ["DELETE", "/api/sessions", signedIn(sessions.deleteOtherSessions)],

  ["PUT", "/api/account/password", signedIn(account.putPassword)],
  ["PUT", "/api/account/email", signedIn(account.putEmail)],
  ["POST", "/api/account/email/verification", signedIn(account.postVerification)],
  ["POST", "/api/account/two-factor", signedIn(twoFactor.postTwoFactor)],
  ["PUT", "/api/account/two-factor", signedIn(twoFactor.putTwoFactor)],
  ["DELETE", "/api/account/two-factor", signedIn(twoFactor.deleteTwoFactor)],
  ["POST", "/api/account/two-factor/recovery-codes", signedIn(twoFactor.postRecoveryCodes)],
  ["GET", "/api/account/login-methods", signedIn(account.getLoginMethods)],
  ["PUT", "/api/account/login-methods/:id", signedIn(account.putLoginMethod)],
  ["DELETE", "/api/account/login-methods/:id", signedIn(account.deleteLoginMethod)],
  ["DELETE", "/api/account", signedIn(account.deleteAccount)],

  ["POST", "/api/email-confirmations/preview", account.postConfirmationPreview],
  ["POST", "/api/email-confirmations", account.postEmailConfirmation],
  ["POST", "/api/email-reversals", account.postEmailReversal],
  ["POST", "/api/password-resets", account.postPasswordReset],
  ["PUT", "/api/password-resets", account.putPasswordReset],
  ["POST", "/api/not-me", account.postNotMe],

  ["GET", "/api/activity", signedIn(account.getActivity)],
  ["GET", "/api/live", signedIn(getLive, "not")],

  ["GET", "/api/openapi.json", getOpenApi],
  ["ALL", "/verify", verify],
  ["GET", "/healthz", getHealth],
  ["GET", "/readyz", getReadiness],
];

/** The dashboard's pages. */
export function dashboardRoutes(dashboard: Dashboard | null): Route[] {
  const { page, root, login, settings, asset } = pages(dashboard);
  const tasks = [
    "/sign-up",
    "/forgot-password",
    "/reset-password",
    "/confirm-email",
    "/keep-email",
    "/not-me",
  ];
  return [
    ["GET", "/", root],
    ["GET", "/login", login],
    ...tasks.map((path): Route => ["GET", path, page]),
    ["GET", "/settings/security", settings],
    ["GET", "/assets/:file", asset],
    ["GET", "/favicon.svg", asset],
    ["GET", "/plain.css", asset],
  ];
}

/** The outbox as pages, for a developer's own machine. */
export const developmentRoutes: Route[] = [
  ["GET", "/dev/emails", getEmails],
  ["GET", "/dev/emails/:file", getEmail],
];
