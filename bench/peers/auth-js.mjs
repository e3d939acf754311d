import { randomUUID } from "node:crypto";
import { getSession } from "@auth/express";
import PostgresAdapter from "@auth/pg-adapter";
import express from "express";
import pg from "pg";
import { BENCH_DATABASE, lasts, makeSessions, port, ready, secret } from "./sessions.mjs";

/** The tables of the adapter's page, and an index on the token, which that page lacks. */
const TABLES = `
create table users (id serial primary key, name varchar(255), email varchar(255), "emailVerified" timestamptz, image text);
create table sessions (id serial primary key, "userId" integer not null, expires timestamptz not null, "sessionToken" varchar(255) not null unique);
`;

/** Auth.js with sessions in the database, in an Express app, as its page on Express sets it up. */
const pool = new pg.Pool({ connectionString: BENCH_DATABASE });
await pool.query(TABLES);
const adapter = PostgresAdapter(pool);
const config = { adapter, secret, trustHost: true, providers: [], session: { strategy: "database" } };
await makeSessions(async (number) => {
  const { id } = await adapter.createUser({
    email: `p${number}@example.test`,
    name: `p${number}`,
    emailVerified: null,
  });
  const sessionToken = randomUUID();
  // Auth.js updates a session once it is a day old, counting from its length of 30 days.
  await adapter.createSession({ sessionToken, userId: id, expires: new Date(Date.now() + 1.5 * lasts) });
  return `authjs.session-token=${sessionToken}`;
});

const app = express();
app.get("/open", (_request, response) => response.send("hello"));
app.get("/guarded", async (request, response) => {
  const session = await getSession(request, config);
  return session ? response.send("hello") : response.status(401).send("no");
});
app.listen(port, "127.0.0.1", ready);
