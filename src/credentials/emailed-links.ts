import type { Insertable, Selectable } from "kysely";
import type { Database, Write } from "../database/database.ts";
import type { Account } from "../database/lock.ts";
import type { EmailedLinkTable, LinkKind } from "../database/schema.ts";
import type { Link } from "../mail/layout.ts";
import { DAY } from "../sessions/expiry.ts";
import { hashToken, makeSecret } from "../sessions/token.ts";
import type { AccountParts } from "./parts.ts";

const MINUTE = 60_000;

/** For each kind of link: the page it opens, its lifetime in ms, and whether a newer link ends older ones. */
const KINDS = {
  verify_address: { page: "/confirm-email", lifetime: DAY, newestOnly: true },
  confirm_email: { page: "/confirm-email", lifetime: 60 * MINUTE, newestOnly: true },
  reset_password: { page: "/reset-password", lifetime: 30 * MINUTE, newestOnly: true },
  sign_up: { page: "/sign-up", lifetime: DAY, newestOnly: true },
  email_reversal: { page: "/keep-email", lifetime: 7 * DAY, newestOnly: false },
  not_me: { page: "/not-me", lifetime: 7 * DAY, newestOnly: false },
} as const satisfies Record<LinkKind, { page: string; lifetime: number; newestOnly: boolean }>;

export type EmailedLink = Selectable<EmailedLinkTable>;
export type AccountLink = EmailedLink & { account_id: string };

type NewLink = Omit<Insertable<EmailedLinkTable>, "token_hash" | "created_at" | "expires_at"> & {
  account_id: string | null;
};

/** Makes a link for an email. Its token is in the fragment, which no server sees; its hash is stored. */
export async function makeLink(parts: AccountParts, write: Write, link: NewLink, now: number): Promise<Link> {
  const { page, lifetime, newestOnly } = KINDS[link.kind];
  if (newestOnly) await endLinks(write, link);
  const token = makeSecret();
  const expiresAt = now + lifetime;
  await write.query
    .insertInto("emailed_link")
    .values({ ...link, token_hash: hashToken(token), created_at: now, expires_at: expiresAt })
    .execute();
  return { href: `${parts.settings.baseUrl.href}${page}#token=${token}`, expiresAt };
}

/** Ends the links of a kind that an account has, or that an address without an account has. */
export async function endLinks(
  { query }: Write,
  { kind, account_id, email_key }: Pick<NewLink, "kind" | "account_id" | "email_key">,
): Promise<void> {
  const links = query.deleteFrom("emailed_link").where("kind", "=", kind);
  await (account_id === null
    ? links.where("email_key", "=", email_key)
    : links.where("account_id", "=", account_id)
  ).execute();
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

/** Like `findLink`, for a link that belongs to an account. */
export async function findAccountLink(
  database: Database,
  kinds: LinkKind[],
  token: string,
  now: number,
): Promise<AccountLink | null> {
  const link = await findLink(database, kinds, token, now);
  return link?.account_id ? { ...link, account_id: link.account_id } : null;
}

/** Uses up a link and returns its current row. Of several requests at once, only one gets it. */
export async function redeemLink(
  write: Write,
  { token_hash }: EmailedLink,
  now: number,
): Promise<EmailedLink | undefined> {
  return write.query
    .deleteFrom("emailed_link")
    .where("token_hash", "=", token_hash)
    .where("expires_at", ">", now)
    .returningAll()
    .executeTakeFirst();
}

/**
 * Makes the "This wasn't me" link of a security email. It ends the session that made the change
 * (`sessionId`), if there was one, and starts a password reset.
 */
export async function makeNotMeLink(
  parts: AccountParts,
  write: Write,
  account: Account,
  sessionId: string | null,
  now: number,
): Promise<Link> {
  const { id: account_id, email, email_key } = account;
  const session = await write.query
    .selectFrom("session")
    .select("device_hash")
    .where("id", "=", sessionId)
    .executeTakeFirst();
  const from = { session_id: sessionId, device_hash: session?.device_hash ?? null };
  return makeLink(parts, write, { kind: "not_me", account_id, email, email_key, ...from }, now);
}
