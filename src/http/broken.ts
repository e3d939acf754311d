import { DecryptionError } from "../credentials/seal.ts";
import { DatabaseUnavailable } from "../database/database.ts";
import { Busy, refuse } from "../refusals.ts";
import { problem } from "./answers.ts";
import type { HttpParts } from "./call.ts";
import { plainPage } from "./pages/html.ts";
import type { RequestHead } from "./request/request-head.ts";

/** The one catch. A database that is down is 503 and says nothing about who is signed in. */
export function broken(parts: HttpParts, error: unknown, request: RequestHead): Response {
  const isDown =
    error instanceof DatabaseUnavailable || error instanceof Busy || error instanceof DecryptionError;
  const path = new URL(request.url, parts.settings.baseUrl.origin).pathname;
  const facts = { err: error, method: request.method, path };
  if (wentAway(error)) parts.log.debug(facts, "The other end went away.");
  else parts.log.error(facts, isDown ? "Not available." : "A request broke.");
  if (!isDown) return problem(refuse("internal_error"));
  const sentence = "Latchkey can't answer right now. Try again in a moment; nobody was logged out.";
  const response = wantsPage(request)
    ? plainPage(503, sentence, parts.settings)
    : problem(refuse("unavailable", sentence));
  response.headers.set("Retry-After", "2");
  return response;
}

/** Whoever sent a body has broken it off: nobody is there to be answered, and nothing of ours broke. */
function wentAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

export function wantsPage(request: RequestHead): boolean {
  return request.method === "GET" && (request.headers.get("accept") ?? "").includes("text/html");
}
