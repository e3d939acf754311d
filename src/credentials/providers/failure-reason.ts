import * as client from "openid-client";

/** What an error code looks like; anything longer is prose, and may name a person. */
const CODE = /^[\w.-]{1,64}$/;

/**
 * Why a provider failed, for the operator: in the words of the library, with the code that the provider or the network
 * gave. What the provider says beside its code is left out: the log names nobody.
 */
export function failureReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const detail = detailOf(error);
  return detail === undefined ? error.message : `${error.message}: ${detail}`;
}

function detailOf(error: Error): string | undefined {
  if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError)
    return codeIn(error, "error");
  if (error instanceof client.WWWAuthenticateChallengeError)
    return codeIn(error.cause[0]?.parameters, "error") ?? `status ${error.status}`;
  const { cause } = error;
  if (!(cause instanceof Error)) return undefined;
  // Other messages may quote what the provider sent.
  const isOfNetwork = error instanceof TypeError;
  return codeIn(cause, "code") ?? (isOfNetwork ? cause.message : undefined);
}

function codeIn(facts: object | undefined, name: string): string | undefined {
  const code: unknown = facts && Reflect.get(facts, name);
  return typeof code === "string" && CODE.test(code) ? code : undefined;
}
