import { z } from "zod";

const YEAR_3000 = 32_503_680_000_000;

const MISSING = "is missing";
const TAKES: Record<string, string> = {
  array: "must be a list",
  boolean: "must be true or false",
  object: "must be an object",
  string: "must be a string",
};

const isMissing = (input: unknown) => input === undefined || input === null;

/** What is wrong with a value, as the second half of a sentence. */
const inWords: z.core.$ZodErrorMap = (issue) => {
  if (isMissing(issue.input)) return MISSING;
  return issue.code === "invalid_type" ? TAKES[issue.expected] : undefined;
};

const error: z.core.$ZodErrorMap = ({ input }) =>
  isMissing(input) ? MISSING : "takes a time like 2024-03-01T10:00:00Z, or milliseconds since 1970";

const time = z
  .union([z.iso.datetime({ offset: true, error }), z.int()], { error })
  .transform((value) => (typeof value === "number" ? value : Date.parse(value)))
  .refine((ms) => ms > 0 && ms < YEAR_3000, "isn't a time between 1970 and 3000");

const identity = z.strictObject({
  /** The provider's name in `LATCHKEY_OIDC_PROVIDERS`; `issuer` can be given instead. */
  provider: z.string().nullish(),
  issuer: z.string().nullish(),
  /** The person's id at that provider: the `sub` claim, or GitHub's numeric id. */
  subject: z.string(),
});

const session = z.strictObject({
  /** The value of the old system's cookie. */
  token: z.string(),
  createdAt: time.nullish(),
  lastUsedAt: time.nullish(),
  expiresAt: time,
  userAgent: z.string().nullish(),
});

/** An account to import, from whatever system: the format of a line in a JSON-lines file. */
export const incomingAccount = z.strictObject({
  /** Kept if given, so that references in the app's own tables stay valid. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, "takes up to 128 letters, digits and . _ : -")
    .nullish(),
  email: z.string(),
  emailVerified: z.boolean().nullish(),
  createdAt: time.nullish(),
  suspended: z.boolean().nullish(),
  passwordHash: z.string().nullish(),
  /** Base32, as in an otpauth URI. */
  totpSecret: z.string().nullish(),
  identities: z.array(identity).nullish(),
  sessions: z.array(session).nullish(),
});

export type IncomingAccount = z.output<typeof incomingAccount>;

/** One entry of a source: a value to read as an account, or the reason why it can't be read. */
export type Found = {
  /** Where in the source it is, for the report: "line 12", "user 34". */
  where: string;
  given?: unknown;
  /** Why the entry can't be read, as a sentence. */
  unreadable?: string;
  /** Why the account's second factor can't be read, as the second half of a sentence. */
  lostTwoFactor?: string;
};

export type Source = {
  readonly found: AsyncIterable<Found>;
  /** How much of the source has been read, from 0 to 1. */
  readonly share: () => number;
  readonly close: () => Promise<void>;
};

/** The source can't be read at all; the message is one line for the operator. */
export class SourceUnusable extends Error {
  override name = "SourceUnusable";
}

/** Reads an entry as an account, or says in a sentence what is wrong with it, without repeating any value. */
export function readIncoming(found: Found): { account: IncomingAccount } | { why: string } {
  if (found.unreadable !== undefined) return { why: found.unreadable };
  const parsed = incomingAccount.safeParse(found.given, { error: inWords });
  if (parsed.success) return { account: parsed.data };
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys") {
    const within = issue.path.length > 0 ? ` in ${issue.path.join(".")}` : "";
    return { why: `There is no field "${issue.keys[0]}"${within}; see docs/moving-in.md for their names.` };
  }
  const field = issue?.path.join(".") || "The line";
  return { why: `${field}: ${issue?.message ?? "not valid"}.` };
}
