import { type Client, Refused } from "../src/client/index.ts";
import { leaveNotice, takeBackNotice } from "./frame.tsx";

/**
 * Wraps the client for the case that the answer to a change of password is lost: the new password is set, but
 * this browser never got its new cookie and is logged out. The login page then says which password to try.
 */
export function tellingOfUnanswered(client: Client): Client {
  // A notice from an earlier try is wrong: this page loads only if the session is live, so nothing was lost.
  takeBackNotice("unanswered");
  return {
    ...client,
    async changePassword(body) {
      leaveNotice("unanswered");
      try {
        await client.changePassword(body);
        takeBackNotice("unanswered");
      } catch (error) {
        const isLost = error instanceof Refused ? isUnknown(error) : !(await isSignedIn(client));
        if (!isLost) takeBackNotice("unanswered");
        throw error;
      }
    },
  };
}

/** Whether the server doesn't know this browser's cookie: the answer with a newer one was lost. */
function isUnknown(refusal: Refused): boolean {
  return refusal.isSignedOut && refusal.ending.reason === "none";
}

function isSignedIn(client: Client): Promise<boolean> {
  return client.checkSession({ background: true }).then(
    () => true,
    () => false,
  );
}
