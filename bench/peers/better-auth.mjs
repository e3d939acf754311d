import { DatabaseSync } from "node:sqlite";
import { serve } from "@hono/node-server";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { Hono } from "hono";
import pg from "pg";
import { BENCH_DATABASE, file, isSqlite, makeSessions, port, ready, secret, signature } from "./sessions.mjs";

/** better-auth in a Hono app, as its page on Hono sets it up; without its cookie cache, so that each check is a look-up. */
const database = isSqlite ? new DatabaseSync(file) : new pg.Pool({ connectionString: BENCH_DATABASE });
if (isSqlite) database.exec("pragma journal_mode = wal");
const options = {
  database,
  secret,
  baseURL: `http://127.0.0.1:${port}`,
  emailAndPassword: { enabled: true },
  logger: { level: "error" },
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
const { internalAdapter } = await auth.$context;
await makeSessions(async (number) => {
  const { id } = await internalAdapter.createUser({
    email: `p${number}@example.test`,
    name: `p${number}`,
    emailVerified: true,
  });
  const { token } = await internalAdapter.createSession(id);
  return `better-auth.session_token=${encodeURIComponent(`${token}.${signature(token)}`)}`;
});

const app = new Hono();
app.get("/open", (context) => context.text("hello"));
app.get("/guarded", async (context) => {
  const session = await auth.api.getSession({ headers: context.req.raw.headers });
  return session ? context.text("hello") : context.text("no", 401);
});
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, ready);
