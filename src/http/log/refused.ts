import type { SignedOut } from "../../answers.ts";
import type { Refusal } from "../../refusals.ts";
import { problem } from "../answers.ts";
import type { Call } from "../call.ts";
import type { Identity } from "../identify.ts";

/** The response to a refused request; also logs the refusal if it concerns security. */
export function refused(call: Call, refusal: Refusal, who?: Identity | SignedOut): Response {
  noteRefused(call, refusal, who);
  return problem(refusal);
}

/** Logs a refusal whose response is a page. */
export function noteRefused(call: Call, refusal: Refusal, who?: Identity | SignedOut): void {
  const { parts, request, remote, route, now } = call;
  const { code, accountId } = refusal;
  const account = accountId ?? (who && "session" in who ? who.session.accountId : undefined);
  const network = () => parts.networkOf(request, remote);
  parts.refusalLog.note({ code, method: request.method, route, network, account }, now);
}
