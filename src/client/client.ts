import type {
  ActivityEvent,
  Confirmation,
  LoginMethods,
  SecondFactorAsked,
  Session,
  SignedIn,
  SignedOut,
} from "../answers.ts";
import { watchLive } from "./live.ts";
import { createGuard } from "./one-answer.ts";
import { type Call, type Reading, send } from "./send.ts";

export type ClientOptions = {
  /** The path that Latchkey is mounted below, without a slash at its end. Default: "", the root of the page's origin. */
  basePath?: string;
};

export type Credentials = { email: string; password: string };

/** The second factor of an account that has one: a code of the app, or one of the recovery codes. */
export type SecondFactor = { code: string } | { recoveryCode: string };

export type Client = ReturnType<typeof createClient>;

/**
 * A browser's client: one method a route. A refusal is thrown as `Refused`, a failed network as
 * `Unreachable`. On a 401 it asks once more who it is, and only that answer decides; then `onSignedOut`
 * is told, in every tab.
 */
export function createClient({ basePath = "" }: ClientOptions = {}) {
  const ask: Ask = (given) => send(basePath, given);
  const who = ({ background = false }: Reading = {}) =>
    ask<SignedIn>({ method: "GET", path: "/api/session", background });
  const guard = createGuard({ basePath, who });
  const askSignedIn: Ask = (given) => guard.run(() => ask(given));

  return {
    basePath,
    /** Who is signed in. Throws `Refused` with the reason where nobody is; tells no one. */
    session: who,
    /** The same, and where nobody is signed in any more, every tab is told. */
    checkSession: (reading: Reading = {}) => guard.ask(reading),
    /** Logs this browser out, in every tab. */
    async signOut() {
      await askSignedIn({ method: "DELETE", path: "/api/session" });
      guard.tellAll({ reason: "signed_out" });
    },
    onSignedOut: (listener: (ending: SignedOut) => void) => guard.listen(listener),
    /** Tells when this account's data may have changed, by one stream for all tabs. Returns how to stop. */
    watch: (onChange: () => void) => watchLive({ basePath, onChange, check: guard.ask }),
    ...comingIn(ask),
    ...passkeysAndSites(ask, askSignedIn),
    ...emailedLinks(ask),
    ...loginManagement(askSignedIn),
    ...ownAccount(askSignedIn),
    ...twoFactor(askSignedIn),
  };
}

type Ask = <Answer = void>(given: Call) => Promise<Answer>;

/** For whoever isn't signed in yet: a 401 is an answer here, not the end of a session. */
function comingIn(ask: Ask) {
  return {
    /** Where the address is verified first, it answers nothing, and the email's link leads on. */
    signUp: (given: Credentials) =>
      ask<SignedIn | undefined>({ method: "POST", path: "/api/accounts", body: withTouch(given) }),
    finishSignUp: (given: { token: string; password: string }) =>
      ask<SignedIn>({ method: "PUT", path: "/api/accounts", body: withTouch(given) }),
    signIn: (given: Credentials) =>
      ask<SignedIn | SecondFactorAsked>({ method: "POST", path: "/api/session", body: withTouch(given) }),
    giveSecondFactor: (factor: SecondFactor) =>
      ask<SignedIn>({ method: "POST", path: "/api/session/two-factor", body: withTouch(factor) }),
  };
}

/** The options of a passkey's prompt are the browser's own business, so they are objects here. */
function passkeysAndSites(ask: Ask, askSignedIn: Ask) {
  const prompts = "/api/session/passkey";
  return {
    passkeySignInOptions: () => ask<object>({ method: "POST", path: `${prompts}/options`, body: {} }),
    signInWithPasskey: (given: { passkey: object }) =>
      ask<SignedIn | SecondFactorAsked>({ method: "POST", path: prompts, body: withTouch(given) }),
    signUpWithPasskey: (given: { email: string; passkey: object }) =>
      ask<SignedIn>({ method: "POST", path: "/api/accounts", body: withTouch(given) }),
    /** For a sign-up with an email; without one, for the account that is signed in. */
    passkeyOptions: (body: { email?: string } = {}) =>
      (body.email === undefined ? askSignedIn : ask)<object>({
        method: "POST",
        path: "/api/passkeys/options",
        body,
      }),
    addPasskey: (body: { passkey: object; name: string }) =>
      askSignedIn<{ id: string }>({ method: "POST", path: "/api/passkeys", body }),
    renameMethod: (id: string, name: string) =>
      askSignedIn({
        method: "PUT",
        path: `/api/account/login-methods/${encodeURIComponent(id)}`,
        body: { name },
      }),
    /** Where to send the browser to connect a site, or to prove with it that it is still you. */
    goToProvider: (provider: string, intent: "connect" | "prove") =>
      askSignedIn<{ url: string }>({ method: "POST", path: `/api/oidc/${provider}/start`, body: { intent } }),
  };
}

function emailedLinks(ask: Ask) {
  return {
    askForReset: (body: { email: string }) => ask({ method: "POST", path: "/api/password-resets", body }),
    resetPassword: (body: { token: string; password: string }) =>
      ask({ method: "PUT", path: "/api/password-resets", body }),
    /** What `confirmEmail` would confirm; changes nothing. */
    previewConfirmation: (body: { token: string }) =>
      ask<Confirmation>({ method: "POST", path: "/api/email-confirmations/preview", body }),
    /** `mine: false` answers "I didn't create it" for a new account. A change needs a session of its account. */
    confirmEmail: (body: { token: string; mine?: boolean }) =>
      ask({ method: "POST", path: "/api/email-confirmations", body }),
    keepEmail: (body: { token: string }) => ask({ method: "POST", path: "/api/email-reversals", body }),
    reportNotMe: (body: { token: string }) => ask({ method: "POST", path: "/api/not-me", body }),
  };
}

function loginManagement(ask: Ask) {
  return {
    async sessions({ background = false }: Reading = {}) {
      const path = "/api/sessions";
      return (await ask<{ sessions: Session[] }>({ method: "GET", path, background })).sessions;
    },
    endSession: (id: string) => ask({ method: "DELETE", path: `/api/sessions/${encodeURIComponent(id)}` }),
    endOtherSessions: () => ask<{ ended: number }>({ method: "DELETE", path: "/api/sessions" }),
  };
}

function ownAccount(ask: Ask) {
  return {
    changePassword: (body: { currentPassword?: string; newPassword: string }) =>
      ask({ method: "PUT", path: "/api/account/password", body }),
    changeEmail: (body: { email: string; currentPassword?: string } & Partial<SecondFactor>) =>
      ask({ method: "PUT", path: "/api/account/email", body }),
    sendVerification: () => ask({ method: "POST", path: "/api/account/email/verification" }),
    /** A first factor, the second one, or both. */
    prove: (body: { currentPassword?: string; passkey?: object } & Partial<SecondFactor>) =>
      ask({ method: "POST", path: "/api/session/proof", body }),
    deleteAccount: (body: { currentPassword?: string } & Partial<SecondFactor>) =>
      ask({ method: "DELETE", path: "/api/account", body }),
    loginMethods({ background = false }: Reading = {}) {
      const path = "/api/account/login-methods";
      return ask<LoginMethods>({ method: "GET", path, background });
    },
    disconnect: (id: string) =>
      ask({ method: "DELETE", path: `/api/account/login-methods/${encodeURIComponent(id)}` }),
    /** Newest first, 50 at a time; `before` is the last one seen. */
    async activity({ before, background = false }: Reading & { before?: string | undefined } = {}) {
      const path = before ? `/api/activity?before=${encodeURIComponent(before)}` : "/api/activity";
      return (await ask<{ events: ActivityEvent[] }>({ method: "GET", path, background })).events;
    },
  };
}

function twoFactor(ask: Ask) {
  const path = "/api/account/two-factor";
  return {
    beginTwoFactor: (body: { currentPassword?: string }) =>
      ask<{ secret: string; uri: string }>({ method: "POST", path, body }),
    turnTwoFactorOn: (body: { code: string }) =>
      ask<{ recoveryCodes: string[] }>({ method: "PUT", path, body }),
    turnTwoFactorOff: (body: { currentPassword?: string } & SecondFactor) =>
      ask({ method: "DELETE", path, body }),
    renewRecoveryCodes: (body: { currentPassword?: string } & SecondFactor) =>
      ask<{ recoveryCodes: string[] }>({ method: "POST", path: `${path}/recovery-codes`, body }),
  };
}

/** An iPad's browser calls itself a Mac; how many fingers it feels gives it away. */
function withTouch<Given extends object>(given: Given): Given & { touchPoints: number } {
  return { ...given, touchPoints: navigator.maxTouchPoints };
}
