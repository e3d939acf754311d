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
  // What somebody isn't allowed to do.
  "wrong_password",
  "proof_needed",
  "other_account",
  "sign_up_closed",
  "device_proof_needed",
  "device_proof_stale",
  "device_proof_wrong",
  // What no page of Latchkey sends, a limit that is used up, a link that is used up or nobody's.
  "cross_site",
  "unsupported_media_type",
  "invalid_json",
  "invalid_input",
  "too_large",
  "too_many_attempts",
  "link_expired",
]);

/** What a line may say of a request that was refused: nothing of what it sent. */
export type RefusedRequest = {
  code: RefusalCode;
  method: string;
  /** The path with the names of its parameters, not their values. */
  route: string;
  network: () => Network;
  /** The account that is signed in, or that somebody tried to sign in to. */
  account: string | undefined;
};

export type RefusalLog = ReturnType<typeof createRefusalLog>;

/** Refusals as lines of the log, so many a minute. */
export function createRefusalLog(log: Pick<Logger, "info">) {
  const lines = createLinesAMinute((leftOut) =>
    log.info(leftOut, "More requests were refused than are logged."),
  );
  return {
    /** Logs a refusal, where it concerns security. */
    note(refused: RefusedRequest, now: number): void {
      if (concernsSecurity(refused) && lines.takes(now)) log.info(factsOf(refused), "Refused.");
    },
    /** Logs how many refusals of a minute that is over were left out. */
    tellLeftOut: lines.tellLeftOut,
  };
}

/** A stranger's 404 is a wrong address; who is signed in and gets one has asked for what isn't theirs. */
function concernsSecurity({ code, account }: RefusedRequest): boolean {
  return SECURITY.has(code) || (code === "not_found" && account !== undefined);
}

/** In this order, which the documented filter relies on. */
function factsOf({ code, method, route, network, account }: RefusedRequest) {
  const { of, generous } = network();
  // Whoever bans clients by the log must not ban everybody behind a proxy.
  const from = generous ? { proxy: of } : { network: of };
  return { refused: code, method, route, ...from, ...(account === undefined ? {} : { account }) };
}
