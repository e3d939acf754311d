import type { Write } from "../database/database.ts";
import { hashToken, makeToken } from "./token.ts";

/**
 * Gives a session a new token, as every change of privilege does; the old one is then unknown. Its open
 * pages stay open: they belong to the session. Notes what was proved with it, and when. Null where the session
 * has ended meanwhile.
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
