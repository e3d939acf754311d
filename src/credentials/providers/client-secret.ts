import * as client from "openid-client";

export type ClientSecret = ReturnType<typeof createClientSecret>;

/**
 * Sends the client secret in the way the provider wants it: in the request's body or in a header. Many
 * providers accept only the one that was chosen when the client was registered, and their metadata doesn't
 * say which. A refused secret doesn't use up the code, so the other way is tried then, and remembered for the
 * next time.
 */
export function createClientSecret(secret: string) {
  const places = [client.ClientSecretPost(secret), client.ClientSecretBasic(secret)] as const;
  let preferred: 0 | 1 = 0;
  return {
    authenticate: ((...request) => places[preferred](...request)) satisfies client.ClientAuth,
    /** Runs `work`, which needs the secret; if the provider refuses it, once more with the secret in the other place. */
    async inEitherPlace<T>(work: () => Promise<T>): Promise<T> {
      const tried = preferred;
      try {
        return await work();
      } catch (error) {
        if (!isRefused(error)) throw error;
        preferred = tried === 0 ? 1 : 0;
        return work();
      }
    },
  };
}

/** The status counts too: Auth0 answers `access_denied` instead of `invalid_client`. */
function isRefused(error: unknown): boolean {
  if (error instanceof client.ResponseBodyError && error.error === "invalid_client") return true;
  const isAnswer =
    error instanceof client.ResponseBodyError || error instanceof client.WWWAuthenticateChallengeError;
  return isAnswer && error.status === 401;
}
