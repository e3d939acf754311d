import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import sqliteStore from "better-sqlite3-session-store";
import pgSimple from "connect-pg-simple";
import express from "express";
import session from "express-session";
import {
  BENCH_DATABASE,
  file,
  isSqlite,
  lasts,
  makeSessions,
  port,
  ready,
  secret,
  signature,
} from "./sessions.mjs";

/** express-session with a database store, as the README of each sets it up. */
const store = isSqlite ? onSqlite() : onPostgres();
const set = promisify(store.set.bind(store));
await makeSessions(async (number) => {
  const id = randomUUID();
  await set(id, { cookie: { originalMaxAge: lasts, maxAge: lasts, path: "/" }, user: `p${number}` });
  return `connect.sid=${encodeURIComponent(`s:${id}.${signature(id).replace(/=+$/, "")}`)}`;
});

const app = express();
app.get("/open", (_request, response) => response.send("hello"));
app.use(session({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge: lasts } }));
app.get("/guarded", (request, response) =>
  request.session.user ? response.send("hello") : response.status(401).send("no"),
);
app.listen(port, "127.0.0.1", ready);

function onSqlite() {
  const client = new DatabaseSync(file);
  client.exec("pragma journal_mode = wal");
  return new (sqliteStore(session))({ client });
}

function onPostgres() {
  return new (pgSimple(session))({ conString: BENCH_DATABASE, createTableIfMissing: true });
}
