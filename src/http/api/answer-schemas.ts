import { z } from "zod";
import {
  type Account,
  type ActivityEvent,
  type Confirmation,
  END_REASONS,
  LOGIN_METHOD_KINDS,
  type LoginMethod,
  type LoginMethods,
  OTHER_REASONS,
  type RefusalFacts,
  SECOND_FACTORS,
  type SecondFactorAsked,
  type Session,
  type SignedIn,
} from "../../answers.ts";
import type { RefusalCode } from "../../refusals.ts";

/** A schema for each answer of the API; the compiler checks it against the type that clients use. */
const time = z.iso.datetime().describe("ISO 8601, UTC");

const account = z
  .object({
    id: z.string(),
    email: z.string(),
    emailVerified: z.boolean(),
    twoFactor: z.boolean(),
    createdAt: time,
  })
  .meta({ id: "Account" }) satisfies z.ZodType<Account>;

/** A session with its public id, never its token. */
const session = z
  .object({
    id: z.string(),
    label: z.string().describe("The device in a person's words, such as Chrome on Mac OS"),
    browser: z.string().nullable().describe("null if unknown"),
    os: z.string().nullable().describe("null if unknown"),
    createdAt: time,
    lastUsedAt: time,
    expiresAt: time,
    current: z.boolean().describe("Whether it is the session that asks"),
    signedInWith: z.enum(LOGIN_METHOD_KINDS),
    bound: z.literal(true).optional().describe("Present if the session is bound to its device"),
  })
  .meta({ id: "Session" }) satisfies z.ZodType<Session>;

const loginMethod = z
  .object({
    id: z.string(),
    kind: z.enum(LOGIN_METHOD_KINDS),
    name: z.string(),
    createdAt: time,
    lastUsedAt: time.nullable(),
  })
  .meta({ id: "LoginMethod" }) satisfies z.ZodType<LoginMethod>;

const activityEvent = z
  .object({
    id: z.string(),
    kind: z.string().describe("What happened, such as signed_in or session_ended"),
    at: time,
    label: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "ActivityEvent" }) satisfies z.ZodType<ActivityEvent>;

const confirmation = z
  .object({
    kind: z.enum(["new_account", "change"]),
    email: z.string(),
    createdAt: time,
    label: z.string().describe("The browser that created the account, or requested the change"),
    twoFactor: z.boolean(),
    methods: z.array(z.object({ kind: z.enum(["passkey", "oidc"]), name: z.string() })),
    known: z.boolean().describe("Whether this browser is one of the account's"),
  })
  .meta({ id: "Confirmation" }) satisfies z.ZodType<Confirmation>;

export const answers = {
  confirmation,
  nothing: z.object({}),
  signedIn: z.object({ account, session }) satisfies z.ZodType<SignedIn>,
  secondFactorAsked: z.object({
    twoFactor: z.object({ methods: z.array(z.enum(SECOND_FACTORS)), expiresAt: time }),
  }) satisfies z.ZodType<SecondFactorAsked>,
  sessions: z.object({ sessions: z.array(session) }),
  ended: z.object({ ended: z.int() }),
  secret: z.object({ secret: z.string(), uri: z.string() }),
  recoveryCodes: z.object({ recoveryCodes: z.array(z.string()) }),
  recoveryCodesLeft: z.object({ recoveryCodesLeft: z.int() }),
  methods: z.object({
    methods: z.array(loginMethod),
    needed: z
      .array(z.string())
      .describe("Ids of the methods that can't be disconnected, since nobody could log in without them"),
  }) satisfies z.ZodType<LoginMethods>,
  added: z.object({ id: z.string() }),
  events: z.object({ events: z.array(activityEvent) }),
  /** Options for the browser's own passkey call (WebAuthn Level 3, in JSON). */
  passkeyOptions: z.looseObject({ challenge: z.string() }),
  address: z.object({ url: z.string() }),
  health: z.object({ status: z.enum(["ok", "unavailable", "clock"]), aheadMs: z.int().optional() }),
} as const;

/** A refusal (RFC 9457) with one of these codes. */
export function problemWith(codes: readonly RefusalCode[]) {
  return z.object({
    status: z.int(),
    title: z.string(),
    code: z.enum(codes),
    detail: z.string(),
    reason: z.enum([...END_REASONS, ...OTHER_REASONS]).optional(),
    by: z.string().optional(),
    at: time.optional(),
    methods: z.array(z.string()).optional(),
    field: z.string().optional(),
  } satisfies Record<keyof Omit<RefusalFacts, "retryAfter">, unknown> & Record<string, unknown>);
}
