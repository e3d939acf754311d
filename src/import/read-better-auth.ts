import { createHash } from "node:crypto";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { Secret } from "otpauth";
import type { Found, Source } from "./incoming.ts";
import type { OldRow } from "./old-database.ts";
import { readBoolean, readText, readTime } from "./old-values.ts";
import { readUsers } from "./read-users.ts";

/** The columns that are read, by better-auth's own names; nothing else ever leaves the old database. */
const USER = ["id", "email", "emailVerified", "createdAt", "twoFactorEnabled", "banned", "banExpires"];
const ACCOUNT = ["userId", "providerId", "accountId", "password"];
const SESSION = ["userId", "token", "createdAt", "updatedAt", "expiresAt", "userAgent", "impersonatedBy"];
/** Not there where it keeps them in a secondary storage, such as Redis. */
const SESSIONS = ["session", "sessions"];
const TWO_FACTOR = ["userId", "secret", "verified"];

/**
 * Reads better-auth's tables, in SQLite or PostgreSQL. `secrets` are the keys that it may have encrypted TOTP
 * secrets with; without the right one, second factors can't be read.
 */
export function readBetterAuth(place: string, secrets: readonly string[], now: number): Promise<Source> {
  return readUsers(place, "better-auth", (need, database) => {
    const users = need(["user", "users"], ["id", "email"]);
    const accountTable = need(["account", "accounts"], ["userId", "providerId", "accountId"]);
    const sessionTable = database.table(...SESSIONS) && need(SESSIONS, ["userId", "token", "expiresAt"]);
    const twoFactorTable = database.table("twoFactor", "twoFactors");
    return {
      users,
      columns: USER,
      async read(page) {
        const ids = page.map(({ id }) => id);
        const accounts = await accountTable.ofUsers(ACCOUNT, ids);
        const sessions = await sessionTable?.ofUsers(SESSION, ids);
        const factors = await twoFactorTable?.ofUsers(TWO_FACTOR, ids);
        return page.map((user) => ({
          where: `user ${readText(user.id)}`,
          ...withTotp(user, factors?.(user.id)[0], secrets, {
            ...accountOf(user, accounts(user.id), now),
            sessions: sessionsOf(sessions?.(user.id) ?? []),
          }),
        }));
      },
    };
  });
}

function accountOf(user: OldRow, accounts: readonly OldRow[], now: number) {
  const banEnds = readTime(user.banExpires);
  return {
    id: readText(user.id),
    email: readText(user.email),
    emailVerified: readBoolean(user.emailVerified),
    createdAt: readTime(user.createdAt),
    suspended: readBoolean(user.banned) && (banEnds === null || banEnds > now),
    passwordHash: readText(accounts.find(({ providerId }) => providerId === "credential")?.password),
    identities: accounts
      .filter(({ providerId }) => providerId !== "credential")
      .map(({ providerId, accountId }) => ({ provider: readText(providerId), subject: readText(accountId) })),
  };
}

/** Leaves out sessions in which an administrator impersonated the user. */
function sessionsOf(sessions: readonly OldRow[]) {
  return sessions
    .filter(({ impersonatedBy }) => readText(impersonatedBy) === null)
    .map((session) => ({
      token: readText(session.token),
      createdAt: readTime(session.createdAt),
      lastUsedAt: readTime(session.updatedAt),
      expiresAt: readTime(session.expiresAt),
      userAgent: readText(session.userAgent),
    }));
}

function withTotp(
  user: OldRow,
  factor: OldRow | undefined,
  secrets: readonly string[],
  account: object,
): Pick<Found, "given" | "lostTwoFactor"> {
  if (!readBoolean(user.twoFactorEnabled)) return { given: account };
  const totp = readTotp(factor, secrets);
  if ("lost" in totp) return { given: account, lostTwoFactor: totp.lost };
  return { given: { ...account, totpSecret: totp.secret } };
}

function readTotp(
  row: OldRow | undefined,
  secrets: readonly string[],
): { secret: string } | { lost: string } {
  const sealed = readText(row?.secret);
  const isConfirmed = row?.verified === undefined || row.verified === null || readBoolean(row.verified);
  if (sealed === null || !isConfirmed) {
    return { lost: "it has no confirmed TOTP secret, and codes by email don't count here" };
  }
  if (secrets.length === 0) {
    return { lost: "better-auth has encrypted it; set BETTER_AUTH_SECRET to the old system's value" };
  }
  for (const secret of secrets) {
    const plain = decrypt(sealed, secret);
    // better-auth uses the bytes of the text as the key; authenticator apps take it in base32.
    if (plain !== null) return { secret: new Secret({ buffer: new Uint8Array(plain).buffer }).base32 };
  }
  return { lost: "BETTER_AUTH_SECRET is not the one that better-auth encrypted it with" };
}

const NONCE_BYTES = 24;

/** XChaCha20-Poly1305 keyed with the secret's SHA-256, nonce first, in hex; a `$ba$VERSION$` prefix may precede it. */
function decrypt(sealed: string, secret: string): Uint8Array | null {
  const bytes = Buffer.from(sealed.replace(/^\$ba\$\d+\$/, ""), "hex");
  const key = createHash("sha256").update(secret).digest();
  try {
    return xchacha20poly1305(key, bytes.subarray(0, NONCE_BYTES)).decrypt(bytes.subarray(NONCE_BYTES));
  } catch {
    return null;
  }
}
