import type { Write } from "../database/database.ts";
import { hashToken, makeToken } from "./token.ts";

/**
 * Gives a session a new token, as after every change of privilege; the old one is then unknown. The session's
 * open pages stay connected: they belong to the session, not to the token. Also stores when the person last
 * proved who they are. Null if the session has ended meanwhile.
 */
export async function renewToken(
  write: Write,
  sessionId: string,
  proved: { provedAt?: number; bothProvedAt?: number },
  token = makeToken(),
): Promise<string | null> {
  const renewed = await write.query
    .updateTable("session")
    .set({ token_hash: hashToken(token), proved_at: proved.provedAt, both_proved_at: proved.bothProvedAt })
    .where("id", "=", sessionId)
    .returning("id")
    .executeTakeFirst();
  return renewed ? token : null;
}
