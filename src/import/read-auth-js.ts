import type { Source } from "./incoming.ts";
import type { OldRow } from "./old-database.ts";
import { readText, readTime } from "./old-values.ts";
import { readUsers } from "./read-users.ts";

/**
 * The columns that are read, by Auth.js's own names. Auth.js stores no passwords; apps that do usually add one of
 * these columns to its table of users.
 */
const PASSWORD = ["password", "passwordHash", "hashedPassword"];
const USER = ["id", "email", "emailVerified", "createdAt", ...PASSWORD];
const ACCOUNT = ["userId", "type", "provider", "providerAccountId"];
const SESSION = ["userId", "sessionToken", "expires"];
/** Not there in some apps whose sessions are JWTs. */
const SESSIONS = ["sessions", "session"];

/** Auth.js's account types that are providers; the others are email links, passkeys and the app's own forms. */
const OTHER_SITES = new Set(["oauth", "oidc"]);

/** Reads Auth.js's (NextAuth's) tables, in SQLite or PostgreSQL. JWT sessions are in no table: they don't come over. */
export function readAuthJs(place: string): Promise<Source> {
  return readUsers(place, "Auth.js", (need, database) => {
    const users = need(["users", "user"], ["id", "email", "emailVerified"]);
    const accountTable = need(["accounts", "account"], ["userId", "provider", "providerAccountId"]);
    const sessionTable = database.table(...SESSIONS) && need(SESSIONS, ["userId", "sessionToken", "expires"]);
    return {
      users,
      columns: USER,
      async read(page) {
        const ids = page.map(({ id }) => id);
        const accounts = await accountTable.ofUsers(ACCOUNT, ids);
        const sessions = await sessionTable?.ofUsers(SESSION, ids);
        return page.map((user) => ({
          where: `user ${readText(user.id)}`,
          given: accountOf(user, accounts(user.id), sessions?.(user.id) ?? []),
        }));
      },
    };
  });
}

function accountOf(user: OldRow, accounts: readonly OldRow[], sessions: readonly OldRow[]) {
  return {
    id: readText(user.id),
    email: readText(user.email),
    emailVerified: readTime(user.emailVerified) !== null,
    createdAt: readTime(user.createdAt),
    passwordHash: PASSWORD.map((column) => readText(user[column])).find((hash) => hash !== null),
    identities: accounts
      .filter(({ type }) => OTHER_SITES.has(readText(type) ?? "oauth"))
      .map(({ provider, providerAccountId }) => ({
        provider: readText(provider),
        subject: readText(providerAccountId),
      })),
    sessions: sessions.map(({ sessionToken, expires }) => ({
      token: readText(sessionToken),
      expiresAt: readTime(expires),
    })),
  };
}
