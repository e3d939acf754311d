import { z } from "zod";

/** A schema for each request body of the API; unknown fields are ignored. */
const text = z
  .string({ error: (issue) => (issue.input === undefined ? "is missing" : "must be a string") })
  // Encoding would replace a lone surrogate, which would make different passwords equal.
  .refine((given) => given.isWellFormed(), "must be whole characters");
const touchPoints = z
  .number({ error: "must be a number" })
  .optional()
  .describe("The page's navigator.maxTouchPoints, which tells an iPad from a Mac");
const anything = z.unknown().optional();
const CREDENTIAL = "What navigator.credentials answered, as JSON";
const passkey = anything.describe(CREDENTIAL);
const neededPasskey = z
  .unknown()
  .refine((given) => given !== undefined, "is missing")
  .describe(CREDENTIAL);
const token = text.describe("From the link in the email, after #token=");
const nothing = z.undefined().catch(undefined).optional();
const currentPassword = text.optional();
const secondFactor = {
  code: text.optional().describe("The 6 digits of the authenticator app"),
  recoveryCode: text.optional().describe("One of the recovery codes; each works once"),
};

const signUpVerifyFirst = z.object({
  email: text,
  password: anything,
  passkey: nothing,
  touchPoints,
});
const signUpOpen = z
  .object({ email: text, password: text.optional(), passkey, touchPoints })
  .refine(({ password, passkey }) => password !== undefined || passkey !== undefined, {
    error: "is missing",
    path: ["password"],
  });

export const bodies = {
  /** Takes a password or, if sign-up is open, a passkey instead; `verify-first` ignores the password. */
  signUp: (mode: "open" | "verify-first" | "closed") => (mode === "open" ? signUpOpen : signUpVerifyFirst),
  finishSignUp: z.object({ token, password: text, touchPoints }),
  signIn: z.object({ email: text, password: text, touchPoints }),
  secondFactor: z
    .object({ ...secondFactor, touchPoints })
    .refine(({ code, recoveryCode }) => (code === undefined) !== (recoveryCode === undefined), {
      error: "give either code or recoveryCode",
      path: ["code"],
    }),
  changePassword: z.object({ currentPassword, newPassword: text }),
  changeEmail: z.object({ email: text, currentPassword, ...secondFactor }),
  token: z.object({ token }),
  confirmEmail: z.object({
    token,
    mine: z
      .boolean({ error: "must be true or false" })
      .default(true)
      .describe('Of a new account: false for "I didn\'t create it"'),
  }),
  askForReset: z.object({ email: text }),
  resetPassword: z.object({ token, password: text }),
  proof: z
    .object({ currentPassword, passkey, ...secondFactor })
    .refine((given) => Object.values(given).some((one) => one !== undefined), {
      error: "is missing",
      path: ["currentPassword"],
    }),
  /** Takes no email address, since the options are the same for everybody. */
  passkeySignInOptions: z.object({}),
  passkeyOptions: z.object({ email: text.optional() }),
  signInWithPasskey: z.object({ passkey: neededPasskey, touchPoints }),
  addPasskey: z.object({ passkey: neededPasskey, name: text.optional() }),
  oidcStart: z.object({ intent: z.enum(["connect", "prove"], { error: "must be connect or prove" }) }),
  rename: z.object({ name: text }),
  currentPassword: z.object({ currentPassword }),
  code: z.object({ code: text }),
  withSecondFactor: z.object({ currentPassword, ...secondFactor }),
} as const;
