import type { Authenticated } from "../sessions/authenticate.ts";
import type { Call } from "./call.ts";
import { cookieHeader } from "./call.ts";

/**
 * A browser that was let in by another system's cookie gets Latchkey's own with the answer, and from then
 * on shows that one. Nothing is written: until an answer arrives, the old cookie goes on being right, on
 * every node and for requests that are sent at once. A refusal touches no cookie.
 */
export function handOver(
  call: Pick<Call, "parts" | "request" | "now">,
  { session, token }: Authenticated,
  response: Response,
): Response {
  const { cookies } = call.parts;
  if (!cookies.comesFromOld(cookieHeader(call))) return response;
  if (response.status >= 400 || isSet(response, cookies.sessionName)) return response;
  response.headers.append("Set-Cookie", cookies.setSession(token, session.expiresAt, call.now));
  return response;
}

/** Whether the answer sets a cookie itself: a renewed token, or its end. */
export function isSet({ headers }: Response, name: string): boolean {
  return headers.getSetCookie().some((cookie) => cookie.startsWith(`${name}=`));
}
