import type {
  ActivityEvent,
  Ending,
  LoginMethod,
  SecondFactor,
  SecondFactorAsked,
  Session,
  SignedIn,
} from "./answers.ts";
import { watchLive } from "./live.ts";
import { createGuard } from "./one-answer.ts";
import { type Call, send } from "./send.ts";

export type ClientOptions = {
  /** The path that Latchkey is mounted below, without a slash at its end. Default: "", the root of the page's origin. */
  basePath?: string;
};

/** A page's own refresh says so, and doesn't count as use of the session. */
export type Reading = { background?: boolean };

export type Credentials = { email: string; password: string };

export type Client = ReturnType<typeof createClient>;

/**
 * A browser's client: one method a route. A refusal is thrown as `Refused`, a failed network as
 * `Unreachable`. On a 401 it asks once more who it is, and only that answer decides; then `onSignedOut`
 * is told, in every tab.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a flat list, one method a route.
export function createClient({ basePath = "" }: ClientOptions = {}) {
  const who = ({ background = false }: Reading = {}) =>
    send<SignedIn>(basePath, { method: "GET", path: "/api/session", background });
  const guard = createGuard({ basePath, who });
  const call = <Answer = void>(given: Call) => guard.run(() => send<Answer>(basePath, given));
  /** For whoever isn't signed in yet: a 401 is an answer here, not the end of a session. */
  const knock = <Answer = void>(given: Call) => send<Answer>(basePath, given);

  return {
    basePath,

    // Coming in
    signUp: (given: Credentials) =>
      knock<SignedIn | undefined>({ method: "POST", path: "/api/accounts", body: withTouch(given) }),
    finishSignUp: (given: { token: string; password: string }) =>
      knock<SignedIn>({ method: "PUT", path: "/api/accounts", body: withTouch(given) }),
    signIn: (given: Credentials) =>
      knock<SignedIn | SecondFactorAsked>({ method: "POST", path: "/api/session", body: withTouch(given) }),
    giveSecondFactor: (factor: SecondFactor) =>
      knock<SignedIn>({ method: "POST", path: "/api/session/two-factor", body: withTouch(factor) }),

    // The session
    /** Who is signed in. Throws `Refused` with the reason where nobody is; tells no one. */
    session: who,
    /** The same, and where nobody is signed in any more, every tab is told. */
    checkSession: guard.ask,
    async signOut() {
      await call({ method: "DELETE", path: "/api/session" });
      guard.tellAll({ reason: "signed_out" });
    },
    onSignedOut: (listener: (ending: Ending) => void) => guard.listen(listener),
    /** Tells when this account's data may have changed, by one stream for all tabs. Returns how to stop. */
    watch: (onChange: () => void) => watchLive({ basePath, onChange, check: guard.ask }),

    // Login management
    sessions: async ({ background = false }: Reading = {}) => {
      const path = "/api/sessions";
      return (await call<{ sessions: Session[] }>({ method: "GET", path, background })).sessions;
    },
    endSession: (id: string) => call({ method: "DELETE", path: `/api/sessions/${encodeURIComponent(id)}` }),
    endOtherSessions: () => call<{ ended: number }>({ method: "DELETE", path: "/api/sessions" }),

    // The account
    changePassword: (body: { currentPassword?: string; newPassword: string }) =>
      call({ method: "PUT", path: "/api/account/password", body }),
    changeEmail: (body: { email: string; currentPassword?: string }) =>
      call({ method: "PUT", path: "/api/account/email", body }),
    sendVerification: () => call({ method: "POST", path: "/api/account/email/verification" }),
    prove: (body: { currentPassword: string } | { passkey: object }) =>
      call({ method: "POST", path: "/api/session/proof", body }),
    deleteAccount: (body: { currentPassword?: string }) =>
      call({ method: "DELETE", path: "/api/account", body }),

    // Two-factor authentication
    beginTwoFactor: (body: { currentPassword?: string }) =>
      call<{ secret: string; uri: string }>({ method: "POST", path: "/api/account/two-factor", body }),
    turnTwoFactorOn: (body: { code: string }) =>
      call<{ recoveryCodes: string[] }>({ method: "PUT", path: "/api/account/two-factor", body }),
    turnTwoFactorOff: (body: { currentPassword?: string } & SecondFactor) =>
      call({ method: "DELETE", path: "/api/account/two-factor", body }),
    renewRecoveryCodes: (body: { currentPassword?: string } & SecondFactor) =>
      call<{ recoveryCodes: string[] }>({
        method: "POST",
        path: "/api/account/two-factor/recovery-codes",
        body,
      }),

    // Passkeys and other sites
    passkeyOptions: (body: { email?: string } = {}) =>
      call<object>({ method: "POST", path: "/api/passkeys/options", body }),
    addPasskey: (body: { passkey: object; name?: string }) =>
      call<{ id: string }>({ method: "POST", path: "/api/passkeys", body }),
    signUpWithPasskey: (body: { email: string; passkey: object }) =>
      knock<SignedIn>({ method: "POST", path: "/api/accounts", body: withTouch(body) }),
    passkeySignInOptions: (body: { email?: string } = {}) =>
      knock<object>({
        method: "POST",
        path: "/api/session/passkey/options",
        body,
      }),
    signInWithPasskey: (body: { passkey: object }) =>
      knock<SignedIn | SecondFactorAsked>({
        method: "POST",
        path: "/api/session/passkey",
        body: withTouch(body),
      }),
    renameMethod: (id: string, name: string) =>
      call({ method: "PUT", path: `/api/account/login-methods/${encodeURIComponent(id)}`, body: { name } }),
    /** Where to send the browser to connect a site, or to prove with it that it is still you. */
    goToProvider: (provider: string, intent: "connect" | "prove") =>
      call<{ url: string }>({ method: "POST", path: `/api/oidc/${provider}/start`, body: { intent } }),

    // Login methods and history
    loginMethods: async ({ background = false }: Reading = {}) => {
      const path = "/api/account/login-methods";
      return (await call<{ methods: LoginMethod[] }>({ method: "GET", path, background })).methods;
    },
    disconnect: (id: string) =>
      call({ method: "DELETE", path: `/api/account/login-methods/${encodeURIComponent(id)}` }),
    activity: async ({ before, background = false }: Reading & { before?: string | undefined } = {}) => {
      const path = before ? `/api/activity?before=${encodeURIComponent(before)}` : "/api/activity";
      return (await call<{ events: ActivityEvent[] }>({ method: "GET", path, background })).events;
    },

    // Mailed links
    askForReset: (body: { email: string }) => knock({ method: "POST", path: "/api/password-resets", body }),
    resetPassword: (body: { token: string; password: string }) =>
      knock({ method: "PUT", path: "/api/password-resets", body }),
    confirmEmail: (body: { token: string }) =>
      knock({ method: "POST", path: "/api/email-confirmations", body }),
    keepEmail: (body: { token: string }) => knock({ method: "POST", path: "/api/email-reversals", body }),
    reportNotMe: (body: { token: string }) => knock({ method: "POST", path: "/api/not-me", body }),
  };
}

/** An iPad's browser calls itself a Mac; how many fingers it feels gives it away. */
function withTouch<Given extends object>(given: Given): Given & { touchPoints: number } {
  return { ...given, touchPoints: navigator.maxTouchPoints };
}
