import { DecryptionError } from "../credentials/seal.ts";
import { DatabaseUnavailable } from "../database/database.ts";
import type { Settings } from "../options/options.ts";
import { Busy, refuse } from "../refusals.ts";
import { problem } from "./answers.ts";
import type { HttpParts } from "./call.ts";
import { plainPage } from "./pages/html.ts";
import { addressOf, type RequestHead } from "./request/request-head.ts";

/**
 * For people, who don't know the name Latchkey. Says to reload, since that keeps the token of an emailed
 * link.
 */
const DOWN_FOR_PEOPLE =
  "The server can't answer right now; nobody was logged out. Reload this page in a moment.";
const DOWN = "Latchkey can't answer right now. Try again in a moment; nobody was logged out.";

/**
 * The response of the one catch. A database that is down gets 503, which says nothing about who is signed in.
 */
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

/** Whether the client aborted its request: then nobody awaits an answer, and the server didn't fail. */
function wentAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

/** A 404: a page for browsers, a refusal for other clients. */
export function notFound(request: RequestHead, settings: Settings): Response {
  return wantsPage(request)
    ? plainPage(404, "There is no such page.", settings)
    : problem(refuse("not_found"));
}

function wantsPage(request: RequestHead): boolean {
  return request.method === "GET" && (request.headers.get("accept") ?? "").includes("text/html");
}
