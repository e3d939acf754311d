import type { Selectable } from "kysely";
import type { Database, Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import type { EmailedLinkTable, LinkKind } from "../database/schema.ts";
import type { Link } from "../mail/layout.ts";
import { DAY } from "../sessions/expiry.ts";
import { hashToken, makeSecret } from "../sessions/token.ts";
import type { AccountParts } from "./parts.ts";

const MINUTE = 60_000;

/** What each link opens, how long it lives (ms), and whether a newer one ends the older. */
const KINDS = {
  verify_address: { page: "/confirm-email", lives: DAY, newestOnly: true },
  confirm_email: { page: "/confirm-email", lives: 60 * MINUTE, newestOnly: true },
  reset_password: { page: "/reset-password", lives: 30 * MINUTE, newestOnly: true },
  sign_up: { page: "/sign-up", lives: DAY, newestOnly: true },
  email_reversal: { page: "/keep-email", lives: 7 * DAY, newestOnly: false },
  not_me: { page: "/not-me", lives: 7 * DAY, newestOnly: false },
} as const satisfies Record<LinkKind, { page: string; lives: number; newestOnly: boolean }>;

export type EmailedLink = Selectable<EmailedLinkTable>;

export type NewLink = {
  kind: LinkKind;
  accountId: string | null;
  email: string;
  emailKey: string;
  sessionId?: string | null;
  deviceHash?: Uint8Array | null;
  changeId?: string;
  confirmedAt?: number;
  /** The device that asked for an email change. */
  label?: string;
};

/** Makes a link for an email. Its token is in the fragment, which no server and no log ever sees; only its hash is kept. */
export async function makeLink(parts: AccountParts, write: Write, link: NewLink, now: number): Promise<Link> {
  const { page, lives, newestOnly } = KINDS[link.kind];
  if (newestOnly) {
    const older = write.query.deleteFrom("emailed_link").where("kind", "=", link.kind);
    await (link.accountId === null
      ? older.where("email_key", "=", link.emailKey)
      : older.where("account_id", "=", link.accountId)
    ).execute();
  }
  const token = makeSecret();
  const expiresAt = now + lives;
  await write.query
    .insertInto("emailed_link")
    .values({
      token_hash: hashToken(token),
      kind: link.kind,
      account_id: link.accountId,
      email: link.email,
      email_key: link.emailKey,
      session_id: link.sessionId ?? null,
      device_hash: link.deviceHash ?? null,
      change_id: link.changeId ?? null,
      confirmed_at: link.confirmedAt ?? null,
      label: link.label ?? null,
      created_at: now,
      expires_at: expiresAt,
    })
    .execute();
  return { href: `${parts.settings.baseUrl.href}${page}#token=${token}`, expiresAt };
}

/** Reads a link without using it up. */
export async function findLink(
  database: Database,
  kinds: LinkKind[],
  token: string,
  now: number,
): Promise<EmailedLink | undefined> {
  return database.read
    .selectFrom("emailed_link")
    .selectAll()
    .where("token_hash", "=", hashToken(token))
    .where("kind", "in", kinds)
    .where("expires_at", ">", now)
    .executeTakeFirst();
}

/** Uses a link up: of any number of takers at once, one gets it. */
export async function redeemLink(
  write: Write,
  kinds: LinkKind[],
  token: string,
  now: number,
): Promise<EmailedLink | undefined> {
  return write.query
    .deleteFrom("emailed_link")
    .where("token_hash", "=", hashToken(token))
    .where("kind", "in", kinds)
    .where("expires_at", ">", now)
    .returningAll()
    .executeTakeFirst();
}

/**
 * The way out for an owner who reads a security email and did none of it; ends the session that did, where one did
 * (`sessionId`), and begins a reset.
 */
export async function makeNotMeLink(
  parts: AccountParts,
  write: Write,
  account: Account,
  sessionId: string | null,
  now: number,
): Promise<Link> {
  const { id: accountId, email, email_key: emailKey } = account;
  const session = await write.query
    .selectFrom("session")
    .select("device_hash")
    .where("id", "=", sessionId)
    .executeTakeFirst();
  const deviceHash = session?.device_hash ?? null;
  return makeLink(parts, write, { kind: "not_me", accountId, email, emailKey, sessionId, deviceHash }, now);
}
