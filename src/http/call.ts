import type { Turns } from "../credentials/limits/turns.ts";
import type { AccountParts, Visit } from "../credentials/parts.ts";
import type { Provider } from "../credentials/providers/provider.ts";
import type { CopyNotices } from "../recovery/copied-cookie.ts";
import { readDevice } from "../sessions/device-label/device-label.ts";
import type { LiveStreams } from "../sessions/live/live-streams.ts";
import type { ClientInfo, Network } from "../sessions/start.ts";
import { makeSecret } from "../sessions/token.ts";
import type { Cookies } from "./cookies.ts";
import type { FailureLog } from "./log/failure-log.ts";
import type { RefusalLog } from "./log/refusal-log.ts";
import type { IncomingRequest, RequestHead } from "./request/request-head.ts";

/** The parts that handlers work with. */
export type HttpParts = AccountParts & {
  readonly cookies: Cookies;
  readonly live: LiveStreams;
  readonly copyNotices: CopyNotices;
  /** Limits concurrent changes per session: all wait for the same account's lock, and would block others. */
  readonly changes: Turns;
  readonly refusalLog: RefusalLog;
  readonly failureLog: FailureLog;
  /** The configured providers by id. */
  readonly providers: ReadonlyMap<string, Provider>;
  /** How far the database's clock is ahead, in ms; warns the operator if it is off. */
  readonly clockAhead: () => Promise<number>;
  readonly networkOf: (request: RequestHead, remote: string | undefined) => Network;
  /** Warns the operator, once, if the app's server doesn't tell peers' addresses and no proxy is declared. */
  readonly noticePeer: (remote: string | undefined) => void;
  /**
   * Warns the operator, once, of a request that changes something and came to an origin other than
   * BASE_URL's.
   */
  readonly warnOnForeignOrigin: (request: RequestHead, remote: string | undefined) => void;
};

/** One request, as handlers get it. */
export type Call = {
  readonly parts: HttpParts;
  readonly request: IncomingRequest;
  /** The peer's address; empty if the peer has disconnected, undefined if the app's server never tells it. */
  readonly remote: string | undefined;
  readonly now: number;
  /** The path of the route, with the names of its parameters instead of their values. */
  readonly route: string;
  /** A parameter of the path, by its name in the route. */
  readonly param: (name: string) => string;
};

export function cookieHeader(call: Pick<Call, "request">): string | null {
  return call.request.headers.get("cookie");
}

/** The secret that binds a ceremony to this browser; null if none is under way. */
export function browserOf(call: Call): string | null {
  return call.parts.cookies.ceremonyToken(cookieHeader(call));
}

/** What this request tells about the client that sent it. */
export function clientInfoOf(call: Call, touchPoints?: number): ClientInfo {
  const { parts, request, remote } = call;
  const deviceToken = parts.cookies.deviceToken(cookieHeader(call));
  return {
    device: readDevice(request.headers, touchPoints),
    deviceToken: deviceToken ?? makeSecret(),
    isReturning: deviceToken !== null,
    tokens: parts.cookies.tokens(cookieHeader(call)),
    boundTokens: parts.cookies.boundTokens(cookieHeader(call)),
    network: parts.networkOf(request, remote),
  };
}

/** The call as a `Visit`, for code that needs nobody to be signed in. */
export function visitOf(call: Call, touchPoints?: number): Visit {
  return { parts: call.parts, clientInfo: clientInfoOf(call, touchPoints), now: call.now };
}
