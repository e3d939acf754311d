import { json } from "../answers.ts";
import type { Call } from "../call.ts";
import { openApiDocument } from "../openapi/document.ts";

let document: ReturnType<typeof openApiDocument> | undefined;

/** The API in OpenAPI 3.1; made once, when it is first asked for. */
export async function getOpenApi({ parts }: Call): Promise<Response> {
  document ??= openApiDocument();
  return json(200, { ...document, servers: [{ url: parts.settings.baseUrl.href }] });
}
