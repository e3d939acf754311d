import { z } from "zod";
import { refuse, sessionHasEnded } from "../../refusals.ts";
import { isBindable } from "../../sessions/binding/bindable.ts";
import { refreshBinding } from "../../sessions/binding/refresh.ts";
import { type Bound, registerDevice } from "../../sessions/binding/register.ts";
import type { Started } from "../../sessions/start.ts";
import { json, problem } from "../answers.ts";
import { type Call, cookieHeader } from "../call.ts";
import { refused } from "../log/refused.ts";
import { challengeField, readString, registrationField } from "../request/binding-fields.ts";
import { route } from "../route.ts";

const REGISTRATION = "/api/session/device-binding";
const REFRESH = `${REGISTRATION}/refresh`;

/** The protocol's session instructions. */
const instructed = z.object({
  session_identifier: z.string(),
  refresh_url: z.string(),
  scope: z.object({ origin: z.string(), include_site: z.boolean() }),
  credentials: z.array(z.object({ type: z.literal("cookie"), name: z.string(), attributes: z.string() })),
  allowed_refresh_initiators: z.array(z.string()),
});

/**
 * Device Bound Session Credentials, the protocol that browsers use (docs/device-binding.md). Browsers send
 * both requests on their own, for any page that needs them, so these routes check a signature and not the
 * origin. They don't need the session cookie either, which browsers omit if another site led here. Neither
 * request counts as use of the session.
 */
export const deviceBindingRoutes = [
  route({
    method: "POST",
    path: REGISTRATION,
    session: "none",
    restsOnProof: true,
    missing: (settings) => (isBindable(settings) ? null : refuse("not_found")),
    summary: "For browsers: registers the key that binds a new session to its device.",
    query: { session: z.string() },
    answers: { 200: instructed },
    refuses: ["device_proof_wrong", "not_found", "signed_out"],
    async handle(call) {
      const { parts, request, now } = call;
      const sessionId = new URL(request.url).searchParams.get("session") ?? "";
      const bound = await registerDevice(parts, { sessionId, proof: proofOf(call) }, now);
      return bound.ok ? instructions(call, bound) : bound;
    },
  }),
  route({
    method: "POST",
    path: REFRESH,
    session: "none",
    restsOnProof: true,
    summary: "For browsers: gives the next bound cookie for a proof by the registered key.",
    answers: { 200: instructed },
    refuses: ["device_proof_stale", "signed_out"],
    async handle(call) {
      const { parts, request, now } = call;
      const proof = proofOf(call);
      const done = await refreshBinding(
        parts,
        {
          sessionId: readString(request.headers.get("sec-secure-session-id")) ?? "",
          proof,
          boundTokens: parts.cookies.boundTokens(cookieHeader(call)),
        },
        now,
      );
      if (done.is === "refreshed") return instructions(call, done);
      // This answer makes browsers forget the binding; the next page then says why the session has ended.
      if (done.is === "over") return sessionHasEnded();
      const stale = refuse("device_proof_stale");
      // A request without a proof only asks for the challenge, so it isn't logged as refused.
      return withChallenge(proof === null ? problem(stale) : refused(call, stale), done);
    },
  }),
];

/** The header with which a sign-in offers binding to browsers; none if the session has no challenge. */
export function registrationOffer({ parts }: Call, started: Started): Record<string, string> {
  const { session, bindingChallenge } = started;
  if (bindingChallenge === null) return {};
  const path = `${parts.settings.baseUrl.path}${REGISTRATION}?session=${session.id}`;
  return { "Secure-Session-Registration": registrationField(path, bindingChallenge) };
}

function proofOf({ request }: Call): string | null {
  return readString(request.headers.get("secure-session-response"));
}

/**
 * Tells the browser which cookie to keep fresh, and where. Any page may cause a refresh: by default, a link
 * from another site couldn't, and the person would appear to be logged out.
 */
function instructions({ parts: { cookies, settings } }: Call, bound: Bound): Response {
  const { baseUrl, bindingRefresh } = settings;
  const body: z.infer<typeof instructed> = {
    session_identifier: bound.sessionId,
    refresh_url: baseUrl.href + REFRESH,
    scope: { origin: baseUrl.origin, include_site: false },
    credentials: [{ type: "cookie", name: cookies.boundName, attributes: cookies.boundAttributes }],
    allowed_refresh_initiators: ["*"],
  };
  return withChallenge(json(200, body, [cookies.setBound(bound.boundToken, bindingRefresh)]), bound);
}

function withChallenge(
  response: Response,
  { challenge, sessionId }: { challenge: string; sessionId: string },
): Response {
  response.headers.set("Secure-Session-Challenge", challengeField(challenge, sessionId));
  return response;
}
