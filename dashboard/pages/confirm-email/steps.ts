import { type Client, type Confirmation, Refused } from "../../../src/client/index.ts";

/** The states of a confirmation link's page. */
export type Step =
  | { at: "loading" | "unread" | "missing" | "expired" | "disowned" }
  /** A link for a new account: in a browser that the account knows, or in another one. */
  | { at: "own" | "unknown"; link: Confirmation }
  /** A change of address; `account` is the address of the person who is logged in. */
  | { at: "change" | "otherAccount"; link: Confirmation; account: string }
  | { at: "loggedOut"; link: Confirmation }
  | { at: "confirmed"; link: Confirmation };

/** Reads what a link would confirm; changes nothing. */
export function readConfirmation(client: Client, token: string): Promise<Step> {
  return unlessExpired(async () => {
    const link = await client.previewConfirmation({ token });
    if (link.kind === "new_account") return { at: link.known ? "own" : "unknown", link };
    // If the browser is logged in but the account doesn't know it, it is logged in to another account.
    return withAccount(client, link, link.known ? "change" : "otherAccount");
  });
}

/** Confirms; `mine` is the answer to "Is this your account?". */
export function confirm(client: Client, token: string, link: Confirmation, mine: boolean): Promise<Step> {
  return unlessExpired(async () => {
    try {
      await client.confirmEmail(mine ? { token } : { token, mine });
    } catch (error) {
      const isRefused = error instanceof Refused && (error.isSignedOut || error.code === "other_account");
      if (!isRefused) throw error;
      return withAccount(client, link, "otherAccount");
    }
    return mine ? { at: "confirmed", link } : { at: "disowned" };
  });
}

async function unlessExpired(read: () => Promise<Step>): Promise<Step> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Refused && error.code === "link_expired") return { at: "expired" };
    throw error;
  }
}

async function withAccount(client: Client, link: Confirmation, at: "change" | "otherAccount"): Promise<Step> {
  try {
    const { account } = await client.session();
    return { at, link, account: account.email };
  } catch (error) {
    if (error instanceof Refused && error.isSignedOut) return { at: "loggedOut", link };
    throw error;
  }
}
