import { argon2Sync, randomBytes, scryptSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashSync } from "bcryptjs";
import { latchkey, type Ran } from "../servers/command-line.ts";
import type { TestServer } from "../servers/server.ts";
import { textOf } from "./at-rest.ts";

export type ImportReport = {
  dryRun: boolean;
  accounts: number;
  passwords: number;
  twoFactors: number;
  loginMethods: number;
  sessions: number;
  alreadyHere: number;
  leftOut: { where: string; what: string; why: string }[];
};

/** Runs `latchkey import` on the database of a server that keeps running. */
export function runImport(
  { database, secretKey }: Pick<TestServer, "database" | "secretKey">,
  words: string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const own = { DATABASE_URL: database.url, LATCHKEY_SECRET_KEY: secretKey };
  return latchkey(["import", ...words], { cwd: database.folder, env: { ...own, ...env } });
}

/** The same, with the report in its machine-readable form. */
export async function importReport(
  server: Pick<TestServer, "database" | "secretKey">,
  words: string[],
  env: Record<string, string> = {},
): Promise<ImportReport & { code: number | null }> {
  const { out, err, code } = await runImport(server, [...words, "--json"], env);
  if (out === "") throw new Error(`The import printed no report: ${err}`);
  return { ...(JSON.parse(out) as ImportReport), code };
}

/** Writes a file with one line for each, as JSON or as it is. */
export async function jsonLines(server: Pick<TestServer, "database">, lines: unknown[]): Promise<string> {
  const file = join(server.database.folder, `${randomBytes(6).toString("hex")}.jsonl`);
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  await writeFile(file, `${text.join("\n")}\n`);
  return file;
}

const TABLES = ["account", "two_factor", "oidc_identity", "session", "activity"];

/** Everything that an import could have changed. */
export async function everythingIn(server: TestServer): Promise<string> {
  const { database, latchkey, clock } = server;
  // Last-used times from earlier tests are written within a minute; one in between would look like a change.
  await latchkey.parts.lastUsed.flush(clock.now(), true);
  const tables = [];
  for (const table of TABLES)
    tables.push(table, textOf(await database.read(`select * from ${table} order by 1, 2`)));
  return tables.join("\n");
}

const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

/** Hashes as other systems create them. */
export const otherSystems: Record<string, (password: string) => string> = {
  "bcrypt of Node": (password) => hashSync(password, 4),
  "bcrypt of PHP": (password) => hashSync(password, 4).replace(/^\$2b/, "$2y"),
  "scrypt of better-auth": (password) => {
    const salt = randomBytes(16).toString("hex");
    const cost = { N: 16_384, r: 16, p: 1, maxmem: 67_108_864 };
    return `${salt}:${scryptSync(password.normalize("NFKC"), salt, 64, cost).toString("hex")}`;
  },
  "scrypt of Python": (password) => {
    const salt = randomBytes(16);
    const digest = scryptSync(password, salt, 32, { N: 2 ** 12, r: 8, p: 1 });
    return `$scrypt$ln=12,r=8,p=1$${unpadded(salt)}$${unpadded(digest)}`;
  },
  argon2id: (password) => argon2Of("argon2id", password),
  argon2i: (password) => argon2Of("argon2i", password),
};

function argon2Of(kind: "argon2id" | "argon2i", message: string): string {
  const nonce = randomBytes(16);
  const digest = argon2Sync(kind, {
    message,
    nonce,
    memory: 4_096,
    passes: 3,
    parallelism: 2,
    tagLength: 32,
  });
  return `$${kind}$v=19$m=4096,t=3,p=2$${unpadded(nonce)}$${unpadded(digest)}`;
}
