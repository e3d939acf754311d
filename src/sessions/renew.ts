import type { Write } from "../database/database.ts";
import { hashToken, makeToken } from "./token.ts";

/**
 * Gives a session a new token, as every change of privilege does; the old one is then unknown. Its open
 * pages stay: they are the session's. Null where the session has ended meanwhile.
 */
export async function renewToken(write: Write, sessionId: string, now: number): Promise<string | null> {
  const token = makeToken();
  const renewed = await write.query
    .updateTable("session")
    .set({ token_hash: hashToken(token), proved_at: now })
    .where("id", "=", sessionId)
    .returning("id")
    .executeTakeFirst();
  return renewed ? token : null;
}
