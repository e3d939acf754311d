import { type Outcome, refuse } from "../../refusals.ts";
import type { Limit } from "../limits/attempts.ts";
import type { AccountParts } from "../parts.ts";

/** Hashes a newly chosen password; refuses if it is weak, or if the limit is used up. */
export async function hashNewPassword(
  { attempts, strength, passwords }: AccountParts,
  chosen: { password: string; email: string; limit: Limit | null },
  now: number,
): Promise<Outcome<{ passwordHash: string }>> {
  const { password, email, limit } = chosen;
  const tooMany = await attempts.take([limit], now);
  if (tooMany) return tooMany;
  const weak = await strength.whyWeak(password, ownWords(email));
  if (weak) return refuse("weak_password", weak);
  return { ok: true, passwordHash: await passwords.hash(password) };
}

/** Words that somebody guessing this account's password would try first: its address, whole and in parts. */
function ownWords(email: string): string[] {
  const [local = "", domain = ""] = email.toLowerCase().split("@");
  return [email.toLowerCase(), local, domain, ...local.split(/[^a-z0-9]+/), ...domain.split(".")];
}
