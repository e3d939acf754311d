import { z } from "zod";
import type { Settings } from "../../options/options.ts";
import { type RefusalCode, refusals } from "../../refusals.ts";
import { type ApiRoute, type DescribedAnswer, schemaFor } from "../route.ts";
import { problemWith } from "./answer-schemas.ts";

type Json = { [key: string]: unknown };

/** The refusals of every row, and those of rows that change something, which check even a stray body. */
const ALWAYS: RefusalCode[] = ["too_many_attempts", "internal_error", "unavailable"];
const OF_CHANGES: RefusalCode[] = ["cross_site", "unsupported_media_type", "invalid_json", "too_large"];

/** The settings that change what the API looks like. */
export type Described = { signUp: Settings["signUp"]; sessionCookie: string };

/** Describes the API in OpenAPI 3.1 from its rows; the caller adds the servers. */
export function openApiDocument(rows: readonly ApiRoute[], { signUp, sessionCookie }: Described): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const row of rows) {
    if (row.summary === null) continue;
    const path = row.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [methodOf(row).toLowerCase()]: describe(row, path, signUp, schemas) };
  }
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

/** OpenAPI can't express "every method", so the row's summary says it. */
function methodOf({ method }: ApiRoute): string {
  return method === "ALL" ? "GET" : method;
}

function describe(row: ApiRoute, path: string, signUp: Settings["signUp"], schemas: Json): Json {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => parameter(name, "path", z.string()));
  const inQuery = Object.entries(row.query ?? {}).map(([name, schema]) => parameter(name, "query", schema));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: row.name ?? nameOf(methodOf(row), path),
    summary: row.summary,
    ...(row.session === "required" ? { security: [{ session: [] }] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(row.body ? { requestBody: bodyOf(schemaFor(row.body, signUp), schemas) } : {}),
    responses: { ...successes(row, schemas), ...refusalsOf(row, schemas) },
  };
}

/** A missing body counts as an empty object, so a body is required only if the schema rejects that. */
function bodyOf(body: z.ZodType, schemas: Json): Json {
  const required = !body.safeParse({}).success;
  return { required, content: content("application/json", body, "input", schemas) };
}

function parameter(name: string, where: "path" | "query", schema: z.ZodType): Json {
  return { name, in: where, required: where === "path", schema: jsonSchema(schema, "input") };
}

function nameOf(method: string, path: string): string {
  const words = path
    .replace("/api/", "")
    .split(/[^a-z]+/i)
    .filter(Boolean);
  return method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
}

function successes({ answers }: ApiRoute, schemas: Json): Json {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, success(inFull(answer, status), schemas)]),
  );
}

function inFull(answer: ApiRoute["answers"][number], status: string): DescribedAnswer {
  if (answer === null) return { description: status === "302" ? "To a page." : "Done." };
  return answer instanceof z.ZodType ? { description: "Done.", body: answer } : answer;
}

function success(
  { description, type = "application/json", body, headers }: DescribedAnswer,
  schemas: Json,
): Json {
  const text = { schema: { type: "string" } };
  const named = Object.entries(headers ?? {}).map(([name, header]) => [name, { ...header, ...text }]);
  return {
    description,
    ...(body ? { content: content(type, body, "output", schemas) } : {}),
    ...(headers ? { headers: Object.fromEntries(named) } : {}),
  };
}

/** Groups refusals by status, since several codes may share one. */
function refusalsOf(row: ApiRoute, schemas: Json): Json {
  const { body, session, refuses = [] } = row;
  if (refuses === null) return {};
  const common: RefusalCode[] = [
    ...ALWAYS,
    ...(body ? (["invalid_input"] as const) : []),
    ...(methodOf(row) === "GET" ? [] : OF_CHANGES),
    ...(session === "required" ? (["signed_out", "device_proof_needed"] as const) : []),
  ];
  const all = [...refuses, ...common].map((one) =>
    typeof one === "string" ? { code: one, status: refusals[one].status } : one,
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

/** A body of this type; named schemas go into the document's shared list. */
function content(type: string, schema: z.ZodType, io: "input" | "output", schemas: Json): Json {
  const { $defs, ...own } = jsonSchema(schema, io);
  const [all, defined] = moveDefinitions([own, $defs ?? {}]) as [Json, Json];
  Object.assign(schemas, defined);
  return { [type]: { schema: all } };
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema, ...own } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
  return own;
}

function moveDefinitions(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/'));
}
