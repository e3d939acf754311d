import { z } from "zod";
import type { Settings } from "../../options/options.ts";
import type { RefusalCode } from "../../refusals.ts";
import { answers, problemWith, statusOf } from "../answer-schemas.ts";
import { type Operation, operations } from "./operations.ts";

type Json = { [key: string]: unknown };

/** What every row may refuse, and what those with a body and those that change things may. */
const ALWAYS: RefusalCode[] = ["too_many_attempts", "internal_error", "unavailable"];
const WITH_BODY: RefusalCode[] = ["invalid_json", "invalid_input", "too_large", "unsupported_media_type"];

/** The settings that change what the API looks like. */
export type Described = { signUp: Settings["signUp"]; sessionCookie: string };

/** The API in OpenAPI 3.1, made from the schemas that validate what comes in; the servers are the caller's. */
export function openApiDocument({ signUp, sessionCookie }: Described): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const [key, operation] of Object.entries(operations)) {
    const [method = "", path = ""] = key.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(key, operation, signUp, schemas) };
  }
  paths["/api/live"] = { get: live(schemas) };
  paths["/verify"] = { get: verify(schemas) };
  paths["/healthz"] = { get: health("getHealth", "Whether it runs.", [200], schemas) };
  paths["/readyz"] = {
    get: health("getReadiness", "Whether its database answers and their clocks agree.", [200, 503], schemas),
  };
  return {
    openapi: "3.1.1",
    info: { title: "Latchkey", version: "1", license: { name: "MIT", identifier: "MIT" } },
    paths,
    components: {
      schemas,
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: sessionCookie },
      },
    },
  };
}

function describe(key: string, operation: Operation, signUp: Settings["signUp"], schemas: Json): Json {
  const { does, query, session } = operation;
  const body = typeof operation.body === "function" ? operation.body(signUp) : operation.body;
  const [method = "", path = ""] = key.split(" ");
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name ?? "", "path"));
  const parameters = query === undefined ? inPath : [...inPath, parameter(query, "query")];
  return {
    operationId: nameOf(method, path),
    summary: does,
    ...(session ? { security: [{ session: [] }] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: bodyOf(body, schemas) } : {}),
    responses: { ...successes(operation, schemas), ...refusalsOf(method, operation, schemas) },
  };
}

/** No body reads as an empty object: required is only one that such an object doesn't fit. */
function bodyOf(body: z.ZodType, schemas: Json): Json {
  const required = !body.safeParse({}).success;
  return { required, content: content("application/json", body, "input", schemas) };
}

function parameter(name: string, where: "path" | "query"): Json {
  return { name, in: where, required: where === "path", schema: { type: "string" } };
}

function nameOf(method: string, path: string): string {
  const words = path
    .replace("/api/", "")
    .split(/[^a-z]+/i)
    .filter(Boolean);
  return method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
}

function successes({ answers }: Operation, schemas: Json): Json {
  return Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      schema === null
        ? { description: status === "302" ? "To a page." : "Done." }
        : { description: "Done.", content: content("application/json", schema, "output", schemas) },
    ]),
  );
}

/** By status, since codes may share one. */
function refusalsOf(method: string, { body, session, refuses = [] }: Operation, schemas: Json): Json {
  const common: RefusalCode[] = [
    ...ALWAYS,
    ...(body ? WITH_BODY : []),
    ...(method === "GET" ? [] : (["cross_site", "unsupported_media_type"] as const)),
    ...(session ? (["signed_out"] as const) : []),
  ];
  const all = [...refuses, ...common].map((one) =>
    typeof one === "string" ? { code: one, status: statusOf(one) } : one,
  );
  const byStatus = Map.groupBy(all, ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, rows]) => {
      const codes = [...new Set(rows.map(({ code }) => code))];
      const problem = content("application/problem+json", problemWith(codes), "output", schemas);
      return [String(status), { description: `Refused: ${codes.join(", ")}.`, content: problem }];
    }),
  );
}

function live(schemas: Json): Json {
  return {
    operationId: "getLive",
    summary: "Server-sent events: sessions-changed, and signed-out with the reason; then it closes.",
    security: [{ session: [] }],
    responses: {
      200: { description: "Open.", content: { "text/event-stream": { schema: { type: "string" } } } },
      ...refusalsOf("GET", { does: "", answers: {}, session: true }, schemas),
    },
  };
}

const HEADERS_OF_VERIFY = {
  "Remote-User": "The email address, in ASCII; only once it is confirmed.",
  "Remote-Account": "The account's id, which never changes.",
  "Remote-Session": "The id of this session; it opens nothing.",
};

function verify(schemas: Json): Json {
  const text = { schema: { type: "string" } };
  const toLogin = { description: "To the login page.", headers: { Location: { required: true, ...text } } };
  const named = Object.entries(HEADERS_OF_VERIFY).map(([name, description]) => [
    name,
    { description, required: name !== "Remote-User", ...text },
  ]);
  const mode = { name: "mode", in: "query", required: false, schema: { type: "string", enum: ["nginx"] } };
  return {
    operationId: "verify",
    summary:
      "For a proxy in front of an app: who is this? Every method is answered alike; with mode=nginx, nobody is redirected: the 401 has the Location.",
    security: [{ session: [] }],
    parameters: [mode],
    responses: {
      ...refusalsOf("GET", { does: "", answers: {}, session: true }, schemas),
      204: { description: "Somebody with a live session.", headers: Object.fromEntries(named) },
      302: toLogin,
      303: toLogin,
    },
  };
}

function health(operationId: string, summary: string, statuses: number[], schemas: Json): Json {
  const responses = statuses.map((status) => [
    status,
    {
      description: status === 200 ? "It is." : "It isn't, for now.",
      content: content("application/json", answers.health, "output", schemas),
    },
  ]);
  return { operationId, summary, responses: Object.fromEntries(responses) };
}

/** A body of a type; what has a name of its own goes to the document's schemas, once. */
function content(type: string, schema: z.ZodType, io: "input" | "output", schemas: Json): Json {
  const { $schema, $defs, ...own } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
  const [all, defined] = moveDefinitions([own, $defs ?? {}]) as [Json, Json];
  Object.assign(schemas, defined);
  return { [type]: { schema: all } };
}

function moveDefinitions(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/'));
}
