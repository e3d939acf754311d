import * as client from "openid-client";

export type ClientSecret = ReturnType<typeof createClientSecret>;

/**
 * Sends the client secret where the provider wants it: in the body of the request, or in its header. Many providers
 * insist on the place that was chosen when the client was registered, and their metadata doesn't say which one that
 * is. A refused secret doesn't use up the code. The place that was right is tried first from then on.
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

/** By its status too: Auth0 calls it `access_denied`. */
function isRefused(error: unknown): boolean {
  if (error instanceof client.ResponseBodyError && error.error === "invalid_client") return true;
  const isAnswer =
    error instanceof client.ResponseBodyError || error instanceof client.WWWAuthenticateChallengeError;
  return isAnswer && error.status === 401;
}
