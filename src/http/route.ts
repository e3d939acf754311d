import type { z } from "zod";
import type { SignedOut } from "../answers.ts";
import type { CurrentSession } from "../changes/proof.ts";
import type { Settings } from "../options/options.ts";
import { type Outcome, type Refusal, type RefusalCode, refuse } from "../refusals.ts";
import { readEnded } from "../sessions/live/read-sessions.ts";
import { json, noContent, withHeaders } from "./answers.ts";
import type { Call } from "./call.ts";
import { readBody, refuseStrayBody } from "./guards.ts";
import { type Identity, notSignedIn, type SessionNeed } from "./identify.ts";
import { refused } from "./log/refused.ts";

/** A route as `createApp` serves it. */
export type Route = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "ALL";
  readonly path: string;
  readonly session: SessionNeed;
  /** False if a request doesn't count as use of its session. */
  readonly isUse?: boolean;
  /** True if browsers send it on their own, for any page: its proof is checked instead of its origin. */
  readonly restsOnProof?: boolean;
  /** Returns a refusal if the settings disable the route. */
  readonly missing?: (settings: Settings) => Refusal | null;
  respond(call: Call, who: Identity | SignedOut): Response | Promise<Response>;
};

/** A route of the API, with its description: its input, its answers and its refusals. */
export type ApiRoute = Route & Described;

type Described = {
  /** One sentence; null if the API's description leaves the route out. */
  readonly summary: string | null;
  /** The operation's name in the description, if it isn't made from method and path. */
  readonly name?: string;
  readonly query?: Readonly<Record<string, z.ZodType>>;
  readonly body?: BodySchema<z.ZodType>;
  readonly answers: Answers;
  /** Its refusals besides those of every route; `null` if it refuses nothing at all. */
  readonly refuses?: readonly (RefusalCode | { code: RefusalCode; status: number })[] | null;
};

/** The schema of a row's body; that of a sign-up depends on the setting. */
export type BodySchema<Schema extends z.ZodType> = Schema | ((signUp: Settings["signUp"]) => Schema);

/**
 * For each status, the default being the lowest: the body's schema, `null` for no body, or a full
 * description.
 */
type Answers = Readonly<Record<number, z.ZodType | DescribedAnswer | null>>;

export type DescribedAnswer = {
  readonly description: string;
  readonly type?: string;
  readonly body?: z.ZodType;
  readonly headers?: Readonly<Record<string, { description?: string; required: boolean }>>;
};

/** The part of a handler's argument that holds the session. */
type Asker = {
  required: { readonly current: CurrentSession };
  optional: { readonly who: Identity | SignedOut };
  none: object;
};

/** A handler's result: an outcome, or a whole response if it isn't JSON. */
type Answered<All extends Answers> = Success<All> | Refusal | Response;

type Success<All extends Answers> = Pick<AnyAnswer, "ok" | "cookies" | "headers"> &
  {
    [Status in keyof All & number]: { status?: Status } & BodyOf<All[Status]>;
  }[keyof All & number];

/** A handler may leave out a body that is an empty object. */
type BodyOf<One> = One extends z.ZodType
  ? z.infer<One> extends Record<string, never>
    ? { body?: undefined }
    : { body: z.infer<One> }
  : One extends { body: z.ZodType }
    ? { body: z.infer<One["body"]> }
    : { body?: undefined };

type Row<Need extends SessionNeed, All extends Answers, Schema extends z.ZodType> = Omit<Route, "respond"> &
  Described & {
    readonly session: Need;
    readonly answers: All;
    readonly body?: BodySchema<Schema>;
    handle(call: Call & Asker[Need] & { body: z.infer<Schema> }): Promise<Answered<All>>;
  };

/**
 * Makes a route from a row of the API: reads the body by its schema, and answers with its handler's outcome.
 */
export function route<
  Need extends SessionNeed,
  All extends Answers,
  Schema extends z.ZodType = z.ZodUndefined,
>({ handle, ...row }: Row<Need, All, Schema>): ApiRoute {
  const isChange = row.session === "required" && row.method !== "GET" && row.method !== "ALL";
  return {
    ...row,
    async respond(call, who) {
      const asker = askers[row.session](who);
      if ("code" in asker) return refused(call, asker);
      const taken = await (row.body === undefined ? takeNone(call, row) : take(call, row.body));
      if (!taken.ok) return refused(call, taken, who);
      // A row without a schema has a handler that takes no body.
      const body = taken.body as z.infer<Schema>;
      const work = () => handle({ ...call, ...asker, body });
      const answered = await (isChange && "session" in who
        ? call.parts.changes.run(who.session.id, work)
        : work());
      if (answered instanceof Response) return answered;
      if (answered.ok) return respond(row.answers, answered);
      return refused(call, await withReason(call, answered, who), who);
    },
  };
}

/** Tells a session that ended while its request was handled why it did. */
async function withReason(call: Call, refusal: Refusal, who: Identity | SignedOut): Promise<Refusal> {
  if (refusal.code !== "signed_out" || !("session" in who)) return refusal;
  const { id } = who.session;
  const ended = await readEnded(call.parts, [id]);
  return notSignedIn(ended.get(id) ?? { reason: "none" });
}

const askers: { [Need in SessionNeed]: (who: Identity | SignedOut) => Asker[Need] | Refusal } = {
  required: (who) => ("session" in who ? { current: who.current } : notSignedIn(who)),
  optional: (who) => ({ who }),
  none: () => ({}),
};

/** Refuses a stray body, except in requests that browsers send on their own, where only the proof counts. */
async function takeNone(
  { request }: Call,
  { restsOnProof = false }: Pick<Route, "restsOnProof">,
): Promise<Outcome<{ body: undefined }>> {
  return (restsOnProof ? null : await refuseStrayBody(request)) ?? { ok: true, body: undefined };
}

/** Reads the body by its schema; the refusal names the first thing that is wrong. */
async function take<Schema extends z.ZodType>(
  { parts, request }: Call,
  schema: BodySchema<Schema>,
): Promise<Outcome<{ body: z.infer<Schema> }>> {
  const read = await readBody(request);
  if (!read.ok) return read;
  const parsed = schemaFor(schema, parts.settings.signUp).safeParse(read.body);
  if (parsed.success) return { ok: true, body: parsed.data };
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") ?? "";
  return refuse("invalid_input", `${field || "The body"}: ${issue?.message ?? "not valid"}.`, { field });
}

/** The schema of a row's body under this setting. */
export function schemaFor<Schema extends z.ZodType>(
  schema: BodySchema<Schema>,
  signUp: Settings["signUp"],
): Schema {
  return typeof schema === "function" ? schema(signUp) : schema;
}

type AnyAnswer = {
  ok: true;
  status?: number;
  body?: unknown;
  cookies?: readonly string[];
  headers?: Readonly<Record<string, string>>;
};

/** Sends an outcome; without a status of its own, it gets the lowest one of its row. */
function respond(answers: Answers, answered: AnyAnswer): Response {
  const { status = Number(Object.keys(answers)[0]), body = {}, cookies, headers } = answered;
  const response = answers[status] === null ? noContent(cookies) : json(status, body, cookies);
  return withHeaders(response, headers);
}
