// Writes the pages that are made from the code: docs/http-api.md, docs/command-line.md, docs/browser-reference.md.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApiDocument } from "../../src/http/api/document.ts";
import { api } from "../../src/http/routes.ts";
import { browserReference } from "./browser-reference.mjs";
import { code, table } from "./markdown.mjs";
import { EVERYWHERE, refusalsOf } from "./refusals.mjs";
import { ROOT } from "./stage.mjs";
import { slug } from "./vitepress/slug.mjs";

const MADE = "<!-- Made from the code: npm run docs -- reference -->";

const PAGES = {
  "http-api.md": httpApi,
  "command-line.md": commandLine,
  "browser-reference.md": () => browserReference(MADE),
};

export async function writeReference() {
  for (const [name, make] of Object.entries(PAGES)) writeFileSync(join(ROOT, "docs", name), await make());
}

/** The pages that are out of date. */
export async function outdatedReference() {
  const outdated = [];
  for (const [name, make] of Object.entries(PAGES)) {
    if (readFileSync(join(ROOT, "docs", name), "utf8") !== (await make())) outdated.push(name);
  }
  return outdated;
}

function httpApi() {
  const { paths, components } = openApiDocument(api, { signUp: "open", sessionCookie: "latchkey" });
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      ...operation,
    })),
  );
  return [
    `# HTTP API\n\n${MADE}`,
    "Every path is below `BASE_URL`. A running Latchkey describes the API in OpenAPI 3.1, with every schema in full, at `/api/openapi.json`. Bodies are JSON, with `Content-Type: application/json`. From a browser, requests that change something need the site's own `Origin` or `Sec-Fetch-Site`. A refusal is `application/problem+json` with a `code`; each call lists its codes and statuses. These can come from any call and are left out: `too_many_attempts` (429, with `Retry-After`), `unavailable` (503), `internal_error` (500), `unreadable_request` (400, if the address or `Host` can't be read), `cross_site` (403), and for bodies that can't be read `invalid_json` (400), `too_large` (413) and `unsupported_media_type` (415).",
    `| call | does |\n|---|---|\n${operations.map((one) => `| [\`${one.method} ${one.path}\`](#${anchorOf(one)}) | ${one.summary} |`).join("\n")}`,
    ...operations.map(section),
    `## Schemas\n\n${Object.entries(components.schemas).map(schemaSection).join("\n\n")}`,
  ]
    .join("\n\n")
    .concat("\n");
}

function anchorOf({ method, path }) {
  return slug(`${method} ${path}`);
}

function section({ method, path, summary, security, parameters = [], requestBody, responses }) {
  const lines = [`## \`${method} ${path}\``, summary];
  if (security) lines.push("Needs a session.");
  const asked = parameters.filter((one) => one.in === "query");
  if (asked.length > 0) lines.push(`In the query: ${asked.map(({ name }) => `\`${name}\``).join(", ")}.`);
  const body = requestBody?.content["application/json"].schema;
  if (Object.keys(body?.properties ?? {}).length > 0)
    lines.push(`Takes${requestBody.required ? "" : ", if anything"}:\n\n${fields(body)}`);
  lines.push(answers(responses));
  return lines.join("\n\n");
}

function answers(responses) {
  const rows = Object.entries(responses).flatMap(([status, response]) => {
    const [type, { schema } = {}] = Object.entries(response.content ?? {})[0] ?? [];
    if (type === "application/problem+json")
      return refusalsOf({ [status]: response }, EVERYWHERE).map((row) => [...row, ""]);
    const means = response.description.replace(/\.$/, "");
    return [[status, means, type === "application/json" ? shape(schema) : (type ?? "")]];
  });
  return `| status | means | body |\n|---|---|---|\n${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}`;
}

function fields({ properties = {}, required = [] }) {
  const rows = Object.entries(properties).map(([name, schema]) => [
    code(name),
    shape(schema),
    required.includes(name) ? "yes" : "no",
    schema.description ?? "",
  ]);
  const isExplained = rows.some((row) => row[3] !== "");
  const columns = ["field", "type", "required", ...(isExplained ? ["note"] : [])];
  return table(
    columns,
    rows.map((row) => row.slice(0, columns.length)),
  );
}

function schemaSection([name, schema]) {
  return `### ${name}\n\n${fields(schema)}`;
}

/** A schema in one line. */
function shape(schema = {}) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return `[${name}](#${name.toLowerCase()})`;
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(shape).join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((one) => `\`${one}\``).join(", ");
  if (schema.type === "array") return `list of ${shape(schema.items)}`;
  if (schema.properties) {
    const all = Object.entries(schema.properties).map(([name, one]) => `\`${name}\`: ${shape(one)}`);
    return all.join("; ");
  }
  if (schema.format === "date-time") return "time";
  return [schema.type ?? "object"].flat().join(" or ");
}

function commandLine() {
  const top = help([]);
  const names = [...top.matchAll(/^ {2}([a-z][a-z -]*?)(?: [A-Z ]+)? {2,}\S/gm)].map(([, name]) =>
    name.trim(),
  );
  return [
    `# Command line\n\n${MADE}`,
    "`npx latchkey` works in the folder that the server or your app runs in, with its `.env` and its `latchkey.config`. The exit code is 0 for done, 1 for refused, 2 for a command or option that doesn't exist. Only `serve`, `migrate`, `accounts create`, `import` and `restore` create a database; in a folder without one, the others say where they looked. `accounts delete` asks for the address again on a terminal, unless you add `--yes`.",
    fenced(top),
    ...names.map(
      (name) =>
        `## ${name}\n\n${fenced(name === "serve" ? withoutSettings(help(["serve"])) : help(name.split(" ")))}`,
    ),
  ]
    .join("\n\n")
    .concat("\n");
}

/** They have a page of their own. */
function withoutSettings(text) {
  return `${text.slice(0, text.indexOf("\nSettings:"))}\nSettings: docs/settings.md`;
}

function fenced(text) {
  return `\`\`\`text\n${text.trim()}\n\`\`\``;
}

function help(words) {
  const command = [join(ROOT, "src", "cli", "main.ts"), ...words, "--help"];
  return execFileSync(process.execPath, command, {
    encoding: "utf8",
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: join(tmpdir(), "latchkey-docs-compile-cache") },
  });
}
