import { z } from "zod";
import type { RefusalCode } from "../../refusals.ts";
import { problemWith, statusOf } from "../answer-schemas.ts";
import { type Operation, operations } from "./operations.ts";

type Json = { [key: string]: unknown };

/** What every row may refuse, and what those with a body and those that change things may. */
const ALWAYS: RefusalCode[] = ["too_many_attempts", "internal_error", "unavailable"];
const WITH_BODY: RefusalCode[] = ["invalid_json", "invalid_input", "too_large", "unsupported_media_type"];

/** The API in OpenAPI 3.1, made from the schemas that validate what comes in; the servers are the caller's. */
export function openApiDocument(): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const [key, operation] of Object.entries(operations)) {
    const [method = "", path = ""] = key.split(" ");
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(key, operation, schemas) };
  }
  paths["/api/live"] = { get: live(schemas) };
  return {
    openapi: "3.1.1",
    info: { title: "Latchkey", version: "1", license: { name: "MIT", identifier: "MIT" } },
    paths,
    components: {
      schemas,
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: "latchkey", description: COOKIE },
      },
    },
  };
}

const COOKIE =
  "The session's cookie: latchkey on http, __Host-latchkey on https, __Secure-latchkey with a cookie domain.";

function describe(key: string, operation: Operation, schemas: Json): Json {
  const { does, body, query, session } = operation;
  const [method = "", path = ""] = key.split(" ");
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name ?? "", "path"));
  const parameters = query === undefined ? inPath : [...inPath, parameter(query, "query")];
  return {
    operationId: nameOf(method, path),
    summary: does,
    ...(session ? { security: [{ session: [] }] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? { requestBody: { required: true, content: content("application/json", body, "input", schemas) } }
      : {}),
    responses: { ...successes(operation, schemas), ...refusalsOf(method, operation, schemas) },
  };
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
    ...(method === "GET" ? [] : (["cross_site"] as const)),
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
