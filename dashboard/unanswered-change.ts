import { type Client, Refused } from "../src/client/index.ts";
import { leaveNotice, takeBackNotice } from "./frame.tsx";

/**
 * A change of password gives this browser a new cookie. Where its answer is lost on the way, the password is
 * another one and the old cookie opens nothing: the login page then says which password to try.
 */
export function tellingOfUnanswered(client: Client): Client {
  // Of a try before this page, which only comes while the session lives: nothing was lost.
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

/** The cookie was replaced by an answer that never came, perhaps to an earlier try. */
function isUnknown(refusal: Refused): boolean {
  return refusal.isSignedOut && refusal.ending.reason === "none";
}

function isSignedIn(client: Client): Promise<boolean> {
  return client.checkSession({ background: true }).then(
    () => true,
    () => false,
  );
}
