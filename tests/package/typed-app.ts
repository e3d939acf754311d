// An app in TypeScript as its author would write it; `npm run check:package` compiles it against the package.
import { createServer } from "node:http";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { createLatchkey, type Latchkey, SettingError, type SignedIn } from "latchkey";
import { createClient, type Session } from "latchkey/client";
import * as inExpress from "latchkey/express";
import * as inFastify from "latchkey/fastify";
import * as inHono from "latchkey/hono";
import * as inNext from "latchkey/next";
import { LatchkeyProvider, LoginManagement } from "latchkey/react";
import "latchkey/react/latchkey.css";
import "latchkey/elements";

const latchkey: Latchkey = await createLatchkey({
  databaseUrl: "sqlite:./app.db",
  baseUrl: "http://localhost:3000/auth",
  sessionLifetime: "12h",
});

const onExpress = express();
onExpress.use(inExpress.mount(latchkey));
onExpress.get("/", inExpress.requireSession(latchkey), (request, reply) => {
  const email: string | undefined = request.latchkey?.account.email;
  reply.send(email);
});
onExpress.get("/open", (request, reply) => {
  // @ts-expect-error an open route may have nobody: only behind `requireSession` is there someone.
  reply.send(request.latchkey.account.email);
});

const onFastify = fastify();
await onFastify.register(inFastify.mount, { latchkey });
onFastify.get("/", { preHandler: inFastify.requireSession(latchkey) }, async (request) => {
  const id: string = request.latchkey.session.id;
  return id;
});

const onHono = new Hono();
onHono.use(inHono.mount(latchkey));
onHono.get("/", inHono.requireSession(latchkey), (context) => {
  const who: SignedIn = context.get("latchkey");
  return context.text(who.account.email);
});
// The handler is separate from the check, as in an app that checks everything with `app.use`.
onHono.use(inHono.requireSession(latchkey));
onHono.get("/elsewhere", (context) => context.text(context.get("latchkey").account.email));

const onNext = inNext.onFirstUse(() => createLatchkey({ baseUrl: "http://localhost:3000/auth" }));
export const { GET, POST, PUT, DELETE } = inNext.mount(onNext);
export const route = inNext.withSession(onNext, (_request, { account }) => Response.json(account.email));
const { account }: SignedIn = await inNext.requireSession(onNext, "/");

createServer().on("upgrade", async (request, socket) => {
  if (!("account" in (await latchkey.authenticate(request)))) socket.destroy();
});

onFastify.addHook("onRequest", inFastify.requireSession(latchkey));
const who = await latchkey.authenticate(new Request("http://localhost:3000/"));
const reason: string = who.account ? who.session.id : who.reason;
const sameReason: string = who.reason ? (who.by ?? who.reason) : who.account.id;
latchkey.on("session-ended", ({ sessionId, by }) =>
  console.log(sessionId, by ?? "by itself", reason, sameReason),
);
const listed: Session[] = await createClient({ basePath: "/auth" }).sessions();

export const kept = [LatchkeyProvider, LoginManagement, SettingError, listed, account];
