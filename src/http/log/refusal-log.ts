import type { Logger } from "pino";
import { createLinesAMinute } from "../../lines-a-minute.ts";
import type { RefusalCode } from "../../refusals.ts";
import type { Network } from "../../sessions/start.ts";

/** The refusals that an operator may want to count, or to ban a client for. */
const SECURITY: ReadonlySet<RefusalCode> = new Set([
  // A sign-in that failed.
  "wrong_credentials",
  "wrong_code",
  "wrong_passkey",
  "sign_in_expired",
  "account_suspended",
  "provider_failed",
  "provider_cancelled",
  "provider_other_person",
  "provider_no_email",
  "provider_account_exists",
  // An action that wasn't allowed.
  "wrong_password",
  "proof_needed",
  "other_account",
  "sign_up_closed",
  "device_proof_needed",
  "device_proof_stale",
  "device_proof_wrong",
  // A request that no page of Latchkey sends, an exhausted limit, a used or unknown link.
  "cross_site",
  "unsupported_media_type",
  "invalid_json",
  "invalid_input",
  "too_large",
  "too_many_attempts",
  "link_expired",
]);

/** The facts that a line may have about a refused request: nothing that the client sent. */
export type RefusedRequest = {
  code: RefusalCode;
  method: string;
  /** The path with the names of its parameters, not their values. */
  route: string;
  network: () => Network;
  /** The account that is signed in, or that the client tried to sign in to. */
  account: string | undefined;
};

export type RefusalLog = ReturnType<typeof createRefusalLog>;

/** Logs refusals, with a limit a minute. */
export function createRefusalLog(log: Pick<Logger, "info">) {
  const lines = createLinesAMinute((leftOut) =>
    log.info(leftOut, "More requests were refused than are logged."),
  );
  return {
    /** Logs a refusal if it concerns security. */
    note(refused: RefusedRequest, now: number): void {
      if (concernsSecurity(refused) && lines.takes(now)) log.info(factsOf(refused), "Refused.");
    },
    /** Once the minute is over, logs how many refusals it left out. */
    tellLeftOut: lines.tellLeftOut,
  };
}

/** A 404 matters only if signed in: that person may have tried to reach something that isn't theirs. */
function concernsSecurity({ code, account }: RefusedRequest): boolean {
  return SECURITY.has(code) || (code === "not_found" && account !== undefined);
}

/** The order of the fields matters: the documented filter relies on it. */
function factsOf({ code, method, route, network, account }: RefusedRequest) {
  const { of, generous } = network();
  // Named differently, so that a tool that bans clients by this log doesn't ban everybody behind a proxy.
  const from = generous ? { proxy: of } : { network: of };
  return { refused: code, method, route, ...from, ...(account === undefined ? {} : { account }) };
}
