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
  /** The path on the page's origin where Latchkey is mounted, such as `/auth`. Default: "", the root. */
  basePath?: string;
};

export type Credentials = { email: string; password: string };

/** The second factor of an account that has one: a code from the app, or a recovery code. */
export type SecondFactor = { code: string } | { recoveryCode: string };

export type Client = ReturnType<typeof createClient>;

/**
 * A client for the browser, with one method per API call. A refusal is thrown as `Refused`, a failed network
 * as `Unreachable`. After a 401 the client asks again who is signed in; only if nobody is, it calls the
 * `onSignedOut` listeners in every tab.
 */
export function createClient(options: ClientOptions = {}) {
  const basePath = readBasePath(options.basePath ?? "");
  const ask: Ask = (given) => send(basePath, given);
  const who = ({ background = false }: Reading = {}) =>
    ask<SignedIn>({ method: "GET", path: "/api/session", background });
  const guard = createGuard({ basePath, who });
  const askToSignIn: Ask = async <Answer>(given: Call) => {
    const answer = await ask<Answer>(given);
    if (isSignedIn(answer)) guard.startOver();
    return answer;
  };
  const askSignedIn: Ask = (given) => guard.run(() => ask(given));
  const askToEnd: Ask = (given) => guard.run(() => guard.endOwn(() => ask(given)));

  return {
    /** The path below which Latchkey is mounted. */
    basePath,
    /** Who is signed in. Throws `Refused` with the reason if nobody is, and tells no other tab. */
    session: (reading: Reading = {}) => guard.asSomebody(() => who(reading)),
    /** Like `session`, but if nobody is signed in any more, every tab is told. */
    checkSession: (reading: Reading = {}) => guard.ask(reading),
    /** Logs this browser out, in every tab. */
    async signOut() {
      await askSignedIn({ method: "DELETE", path: "/api/session" });
      guard.tellAll({ reason: "signed_out" });
    },
    /** Calls the listener, in every tab, when this device is no longer logged in, and says why. Returns a function that stops it. */
    onSignedOut: (listener: (ending: SignedOut) => void) => guard.listen(listener),
    /** Calls `onChange` when this account's data may have changed since you loaded it, after a later login too; one stream serves all tabs. Returns a function that stops it. */
    watch: (onChange: () => void) =>
      watchLive({ basePath, onChange, check: guard.ask, onSignedInAgain: guard.onStartOver }),
    ...signingIn(askToSignIn),
    ...passkeysAndSites(askToSignIn, askSignedIn),
    ...emailedLinks(ask),
    ...loginManagement(askSignedIn),
    ...ownAccount(askSignedIn, askToEnd),
    ...twoFactor(askSignedIn),
  };
}

/**
 * Strips trailing slashes. @throws if it isn't a path: calls would go to another origin, without the cookie.
 */
function readBasePath(given: string): string {
  const path = given.replace(/\/+$/, "");
  if (/^(\/[\w.~-]+)*$/.test(path)) return path;
  throw new TypeError(`basePath takes a path of the page's own origin, such as "/auth" (got "${given}").`);
}

type Ask = <Answer = void>(given: Call) => Promise<Answer>;

/** Whether an answer has a session; that of a sign-in that waits for a second factor has none. */
function isSignedIn(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "session" in answer;
}

/** Calls for people who aren't signed in yet: here a 401 doesn't mean that a session has ended. */
function signingIn(ask: Ask) {
  return {
    /** Creates an account and logs in. If the address has to be verified first, it returns nothing, and the link in an email leads on. */
    signUp: (given: Credentials) =>
      ask<SignedIn | undefined>({ method: "POST", path: "/api/accounts", body: withTouch(given) }),
    /** Creates the account of an address that had to be verified first, with the token from the email's link, and logs in. */
    finishSignUp: (given: { token: string; password: string }) =>
      ask<SignedIn>({ method: "PUT", path: "/api/accounts", body: withTouch(given) }),
    /** Logs in, unless the answer asks for a second factor. */
    signIn: (given: Credentials) =>
      ask<SignedIn | SecondFactorAsked>({ method: "POST", path: "/api/session", body: withTouch(given) }),
    /** Finishes a login that asked for a second factor. */
    giveSecondFactor: (factor: SecondFactor) =>
      ask<SignedIn>({ method: "POST", path: "/api/session/two-factor", body: withTouch(factor) }),
  };
}

/** Options for passkey prompts are passed to the browser as they are, so their type is just `object`. */
function passkeysAndSites(ask: Ask, askSignedIn: Ask) {
  const prompts = "/api/session/passkey";
  return {
    /** What the browser's passkey prompt needs for a login. */
    passkeySignInOptions: () => ask<object>({ method: "POST", path: `${prompts}/options`, body: {} }),
    /** Logs in with the answer of the browser's passkey prompt. */
    signInWithPasskey: (given: { passkey: object }) =>
      ask<SignedIn | SecondFactorAsked>({ method: "POST", path: prompts, body: withTouch(given) }),
    /** Creates an account without a password, and logs in. */
    signUpWithPasskey: (given: { email: string; passkey: object }) =>
      ask<SignedIn>({ method: "POST", path: "/api/accounts", body: withTouch(given) }),
    /** What the browser's prompt for a new passkey needs: for a sign-up with an email; without one, for the account that is signed in. */
    passkeyOptions: (body: { email?: string } = {}) =>
      (body.email === undefined ? askSignedIn : ask)<object>({
        method: "POST",
        path: "/api/passkeys/options",
        body,
      }),
    /** Adds a passkey to this account. */
    addPasskey: (body: { passkey: object; name: string }) =>
      askSignedIn<{ id: string }>({ method: "POST", path: "/api/passkeys", body }),
    /** Renames a passkey. */
    renameMethod: (id: string, name: string) =>
      askSignedIn({
        method: "PUT",
        path: `/api/account/login-methods/${encodeURIComponent(id)}`,
        body: { name },
      }),
    /** Returns where to send the browser to connect a site, or to use it as proof. */
    goToProvider: (provider: string, intent: "connect" | "prove") =>
      askSignedIn<{ url: string }>({ method: "POST", path: `/api/oidc/${provider}/start`, body: { intent } }),
  };
}

function emailedLinks(ask: Ask) {
  return {
    /** Sends the email that resets the password. The answer is the same for an address without an account. */
    askForReset: (body: { email: string }) => ask({ method: "POST", path: "/api/password-resets", body }),
    /** Sets a new password with the token from that email's link; every session of the account ends. */
    resetPassword: (body: { token: string; password: string }) =>
      ask({ method: "PUT", path: "/api/password-resets", body }),
    /** What `confirmEmail` would confirm; changes nothing. */
    previewConfirmation: (body: { token: string }) =>
      ask<Confirmation>({ method: "POST", path: "/api/email-confirmations/preview", body }),
    /** Confirms an address with the token from the email's link. `mine: false` answers "I didn't create it" for a new account. A change needs a session of its account. */
    confirmEmail: (body: { token: string; mine?: boolean }) =>
      ask({ method: "POST", path: "/api/email-confirmations", body }),
    /**
     * Cancels a change of address, or reverses a confirmed one and ends every session of the account. Takes
     * the token from the email to the old address.
     */
    keepEmail: (body: { token: string }) => ask({ method: "POST", path: "/api/email-reversals", body }),
    /** "This wasn't me": ends the session that an email reported, with the token from its link. */
    reportNotMe: (body: { token: string }) => ask({ method: "POST", path: "/api/not-me", body }),
  };
}

function loginManagement(ask: Ask) {
  return {
    /** Every device that is logged in to this account. */
    async sessions({ background = false }: Reading = {}) {
      const path = "/api/sessions";
      return (await ask<{ sessions: Session[] }>({ method: "GET", path, background })).sessions;
    },
    /** Logs out another device. For this one, there is `signOut`. */
    endSession: (id: string) => ask({ method: "DELETE", path: `/api/sessions/${encodeURIComponent(id)}` }),
    /** Logs out every device except this one, and says how many. */
    endOtherSessions: () => ask<{ ended: number }>({ method: "DELETE", path: "/api/sessions" }),
  };
}

function ownAccount(ask: Ask, askToEnd: Ask) {
  return {
    /** Changes the password, or sets the first one; every other device is logged out. */
    changePassword: (body: { currentPassword?: string; newPassword: string }) =>
      ask({ method: "PUT", path: "/api/account/password", body }),
    /** Starts a change of address; it takes effect once the link in the email to the new address is used. */
    changeEmail: (body: { email: string; currentPassword?: string } & Partial<SecondFactor>) =>
      ask({ method: "PUT", path: "/api/account/email", body }),
    /** Sends the email that confirms the address again. */
    sendVerification: () => ask({ method: "POST", path: "/api/account/email/verification" }),
    /** Proves that it is still the same person, for changes that need it: with a first factor, the second one, or both. */
    prove: (body: { currentPassword?: string; passkey?: object } & Partial<SecondFactor>) =>
      ask({ method: "POST", path: "/api/session/proof", body }),
    /** Deletes the account for good. */
    deleteAccount: (body: { currentPassword?: string } & Partial<SecondFactor>) =>
      askToEnd({ method: "DELETE", path: "/api/account", body }),
    /** The password, passkeys and other sites of this account, and which of them can't be disconnected. */
    loginMethods({ background = false }: Reading = {}) {
      const path = "/api/account/login-methods";
      return ask<LoginMethods>({ method: "GET", path, background });
    },
    /** Removes a login method, and ends the sessions that were opened with it. */
    disconnect: (id: string) =>
      ask({ method: "DELETE", path: `/api/account/login-methods/${encodeURIComponent(id)}` }),
    /** What happened to this account: newest first, 50 at a time; `before` is the last one seen. */
    async activity({ before, background = false }: Reading & { before?: string | undefined } = {}) {
      const path = before ? `/api/activity?before=${encodeURIComponent(before)}` : "/api/activity";
      return (await ask<{ events: ActivityEvent[] }>({ method: "GET", path, background })).events;
    },
  };
}

function twoFactor(ask: Ask) {
  const path = "/api/account/two-factor";
  return {
    /** The secret for an authenticator app. Nothing changes until `turnTwoFactorOn`. */
    beginTwoFactor: (body: { currentPassword?: string }) =>
      ask<{ secret: string; uri: string }>({ method: "POST", path, body }),
    /** Turns it on with a code from the app, and returns the recovery codes, only this once. */
    turnTwoFactorOn: (body: { code: string }) =>
      ask<{ recoveryCodes: string[] }>({ method: "PUT", path, body }),
    /** Turns it off. */
    turnTwoFactorOff: (body: { currentPassword?: string } & SecondFactor) =>
      ask({ method: "DELETE", path, body }),
    /** How many recovery codes are left; 0 if two-factor authentication is off. */
    async recoveryCodesLeft({ background = false }: Reading = {}) {
      return (await ask<{ recoveryCodesLeft: number }>({ method: "GET", path, background }))
        .recoveryCodesLeft;
    },
    /** New recovery codes; the old ones stop working. */
    renewRecoveryCodes: (body: { currentPassword?: string } & SecondFactor) =>
      ask<{ recoveryCodes: string[] }>({ method: "POST", path: `${path}/recovery-codes`, body }),
  };
}

/** Adds the number of touch points: Safari on an iPad claims to be a Mac, but no Mac has any. */
function withTouch<Given extends object>(given: Given): Given & { touchPoints: number } {
  return { ...given, touchPoints: navigator.maxTouchPoints };
}
