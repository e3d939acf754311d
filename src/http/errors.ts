import { DecryptionError } from "../credentials/seal.ts";
import { DatabaseUnavailable } from "../database/database.ts";
import type { Settings } from "../options/options.ts";
import { Busy, refuse } from "../refusals.ts";
import { problem } from "./answers.ts";
import type { HttpParts } from "./call.ts";
import { plainPage } from "./pages/html.ts";
import { addressOf, type RequestHead } from "./request/request-head.ts";

/** To people, who know the site by another name; reloading keeps an emailed link's token, which no link here could. */
const DOWN_FOR_PEOPLE =
  "The server can't answer right now; nobody was logged out. Reload this page in a moment.";
const DOWN = "Latchkey can't answer right now. Try again in a moment; nobody was logged out.";

/** What the one catch answers. A database that is down is 503 and says nothing about who is signed in. */
export function errorResponse(
  parts: Pick<HttpParts, "settings" | "log" | "failureLog">,
  error: unknown,
  request: RequestHead,
): Response {
  const isDown =
    error instanceof DatabaseUnavailable || error instanceof Busy || error instanceof DecryptionError;
  const path = addressOf(request, parts.settings.baseUrl.origin)?.pathname ?? null;
  const facts = { err: error, method: request.method, path };
  if (wentAway(error)) parts.log.debug(facts, "The client went away.");
  else parts.failureLog.note(isDown ? "Not available." : "A request failed.", facts, parts.settings.now());
  if (!isDown) return problem(refuse("internal_error"));
  const response = wantsPage(request)
    ? plainPage(503, DOWN_FOR_PEOPLE, parts.settings)
    : problem(refuse("unavailable", DOWN));
  response.headers.set("Retry-After", "2");
  return response;
}

/** The client broke its request off: nobody is there to be answered, and nothing of ours broke. */
function wentAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

/** As a page to browsers, as a refusal to anything else. */
export function notFound(request: RequestHead, settings: Settings): Response {
  return wantsPage(request)
    ? plainPage(404, "There is no such page.", settings)
    : problem(refuse("not_found"));
}

function wantsPage(request: RequestHead): boolean {
  return request.method === "GET" && (request.headers.get("accept") ?? "").includes("text/html");
}
