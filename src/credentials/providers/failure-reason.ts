import * as client from "openid-client";

/** What an error code looks like; anything longer is prose, and may name a person. */
const CODE = /^[\w.-]{1,64}$/;

/**
 * Why a provider failed, for the operator: the library's message and the code from the provider or the
 * network. The provider's own description is left out, since it may name a person, and the log must not.
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
