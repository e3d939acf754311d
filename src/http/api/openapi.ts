import { z } from "zod";
import type { HttpParts } from "../call.ts";
import type { ApiRoute } from "../route.ts";
import { route } from "../route.ts";
import { openApiDocument } from "./document.ts";

/** The description of these rows in OpenAPI 3.1, as the settings have it; made once, when it is first asked for. */
export function openApiRoute(rows: readonly ApiRoute[]): ApiRoute {
  const documents = new WeakMap<HttpParts, ReturnType<typeof openApiDocument>>();
  return route({
    method: "GET",
    path: "/api/openapi.json",
    session: "none",
    summary: null,
    answers: { 200: z.record(z.string(), z.unknown()) },
    async handle({ parts }) {
      const { settings, cookies } = parts;
      const known = documents.get(parts);
      const document =
        known ?? openApiDocument(rows, { signUp: settings.signUp, sessionCookie: cookies.sessionName });
      if (!known) documents.set(parts, document);
      return { ok: true, body: { ...document, servers: [{ url: settings.baseUrl.href }] } };
    },
  });
}
