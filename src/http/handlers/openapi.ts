import { json } from "../answers.ts";
import type { Call, HttpParts } from "../call.ts";
import { openApiDocument } from "../openapi/document.ts";

const documents = new WeakMap<HttpParts, ReturnType<typeof openApiDocument>>();

/** The API in OpenAPI 3.1, as the settings have it; made once, when it is first asked for. */
export async function getOpenApi({ parts }: Call): Promise<Response> {
  const { settings, cookies } = parts;
  const known = documents.get(parts);
  const document = known ?? openApiDocument({ signUp: settings.signUp, sessionCookie: cookies.sessionName });
  if (!known) documents.set(parts, document);
  return json(200, { ...document, servers: [{ url: settings.baseUrl.href }] });
}
