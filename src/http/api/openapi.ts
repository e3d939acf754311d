import { z } from "zod";
import { jsonText } from "../answers.ts";
import type { HttpParts } from "../call.ts";
import { type ApiRoute, route } from "../route.ts";
import { openApiDocument } from "./document.ts";

/**
 * The description of these rows in OpenAPI 3.1, according to the settings. Its text is generated only once,
 * on the first request: anyone may request it, and generating it each time would slow down everyone else.
 */
export function openApiRoute(rows: readonly ApiRoute[]): ApiRoute {
  const texts = new WeakMap<HttpParts, string>();
  return route({
    method: "GET",
    path: "/api/openapi.json",
    session: "none",
    summary: null,
    answers: { 200: z.record(z.string(), z.unknown()) },
    async handle({ parts }) {
      const text = texts.get(parts) ?? writeDocument(rows, parts);
      texts.set(parts, text);
      return jsonText(text);
    },
  });
}

function writeDocument(rows: readonly ApiRoute[], { settings, cookies }: HttpParts): string {
  const document = openApiDocument(rows, { signUp: settings.signUp, sessionCookie: cookies.sessionName });
  return JSON.stringify({ ...document, servers: [{ url: settings.baseUrl.href }] });
}
