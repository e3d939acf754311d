import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { openApiDocument } from "../../../src/http/api/document.ts";
import { api } from "../../../src/http/routes.ts";
import type { Answer } from "./answers.ts";

type Described = {
  responses: Record<
    string,
    { content?: Record<string, { schema: object }>; headers?: Record<string, { required: boolean }> }
  >;
};

const document = openApiDocument(api, { signUp: "open", sessionCookie: "latchkey" }) as {
  paths: Record<string, Record<string, Described>>;
  components: object;
};
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "latchkey", components: document.components });
const places = Object.keys(document.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`),
}));
const validators = new Map<object, ValidateFunction>();

/** Every answer of the API is one that its description knows. @throws if it isn't. */
export function checkDescribed(method: string, path: string, answer: Answer): void {
  const [pathname = ""] = path.split("?");
  const place = places.find(({ pattern }) => pattern.test(pathname))?.path ?? "";
  const operation = document.paths[place]?.[method.toLowerCase()];
  // What Node's server couldn't parse as a request hasn't reached a row.
  if (!operation || answer.body.code === "unreadable_request") return;
  const about = `${method} ${path} answered ${answer.status} ${answer.text}`;
  const response = operation.responses[answer.status];
  if (!response) throw new Error(`${about}, which its description doesn't know.`);
  for (const [name, { required }] of Object.entries(response.headers ?? {}))
    if (required && !answer.headers[name.toLowerCase()])
      throw new Error(`${about} without its header ${name}.`);
  const type = String(answer.headers["content-type"] ?? "").split(";")[0] ?? "";
  const content = response.content?.[type];
  // nginx discards the body of its check, so /verify sends it none; OpenAPI can't say "or none".
  if (answer.text === "" && (!response.content || pathname === "/verify")) return;
  if (!content) throw new Error(`${about} as "${type}", which its description doesn't know.`);
  const validate = validatorOf(content.schema);
  if (!validate(JSON.parse(answer.text))) {
    throw new Error(`${about}, which doesn't fit its description: ${ajv.errorsText(validate.errors)}`);
  }
}

function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known) return known;
  const named = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"latchkey#/components/'));
  const made = ajv.compile(named);
  validators.set(schema, made);
  return made;
}
