import { describe, expect, test } from "vitest";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import type { Client } from "../support/requests/client.ts";
import { isSignedIn, PASSWORD, signUp } from "../support/requests/people.ts";
import { serverFor } from "../support/servers/server.ts";

type Field = { type?: string };
type Described = {
  paths: Record<
    string,
    Record<
      string,
      { requestBody?: { content: Record<string, { schema: { properties?: Record<string, Field> } }> } }
    >
  >;
};

/** Text that some part of a server might choke on: a database, a header, a log, a regular expression. */
const HOSTILE = {
  "a NUL": "a\u0000b",
  "half a surrogate pair": "\ud800",
  "quotes and comments": "'; drop table session; -- \" \\",
  "another line": "a@example.test\r\nBcc: b@example.test",
  "a word of the language": "__proto__",
  "thousands of letters": "x".repeat(5_000),
};

const inPath = (text: string) => (text === "\ud800" ? "%ED%A0%80" : encodeURIComponent(text));

describeOnEachEngine(
  "Hostile text, in every field and every path of the API as it describes itself",
  (engine) => {
    const server = serverFor(engine);

    async function operations() {
      const { text } = await server().client().get("/api/openapi.json");
      const { paths }: Described = JSON.parse(text);
      return Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { requestBody }]) => {
          const properties = requestBody?.content["application/json"]?.schema.properties ?? {};
          return { method: method.toUpperCase(), path, fields: Object.keys(properties) };
        }),
      );
    }

    /** No request is limited because of earlier ones. */
    async function forgetAttempts(): Promise<void> {
      await server().latchkey.parts.database.write(({ query }) => query.deleteFrom("attempts").execute());
    }

    describe.each(Object.entries(HOSTILE))("%s", (_name, text) => {
      test("is refused in words or taken as text, and never a 500", async () => {
        let client: Client = (await signUp(server())).client;
        const odd: string[] = [];
        let asked = 0;
        for (const { method, path, fields } of await operations()) {
          if (path === "/api/live") continue;
          const target = path.replace(/\{\w+\}/g, inPath(text));
          const query = method === "GET" ? `?before=${inPath(text)}&next=${inPath(text)}` : "";
          for (const field of fields.length > 0 ? fields : [""]) {
            await forgetAttempts();
            if (!(await isSignedIn(client))) client = (await signUp(server())).client;
            const others = Object.fromEntries(
              fields.map((name) => [name, name.includes("assword") ? PASSWORD : "a"]),
            );
            const body = fields.length === 0 ? undefined : JSON.stringify({ ...others, [field]: text });
            const answer = await client.send(method, target + query, { body });
            const { status } = answer;
            asked += 1;
            const isWordless = status >= 400 && !/\S/.test(answer.body.detail ?? answer.text);
            if ((status >= 500 && status !== 502) || isWordless)
              odd.push(`${method} ${target} ${field}: ${status}`);
          }
        }
        expect(odd).toEqual([]);
        expect(asked).toBeGreaterThan(60);
      });
    });
  },
);
