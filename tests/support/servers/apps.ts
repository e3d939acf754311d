import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import fastify, { type FastifyInstance } from "fastify";
import { Hono } from "hono";
import * as inExpress from "../../../src/adapters/express.ts";
import * as inFastify from "../../../src/adapters/fastify.ts";
import * as inHono from "../../../src/adapters/hono.ts";
import { createLatchkey, type Latchkey, type LatchkeyOptions } from "../../../src/index.ts";
import type { TestDatabase } from "../databases/engines.ts";
import { Client } from "../requests/client.ts";
import { freePort } from "./free-port.ts";

/** Something that can go wrong in the app around Latchkey, or differ from the simplest one. */
export type Manner = {
  /** Bodies are read by the app before Latchkey sees the request. */
  readsBodies?: "json" | "and keeps nothing";
  /** The prefix that Latchkey is mounted below. */
  below?: string;
  /** Every request's session is checked by the app, before it mounts Latchkey (in Fastify by this hook). */
  checksAll?: "onRequest" | "preHandler";
  /** Middleware in front of everything, in Express. */
  first?: express.RequestHandler;
  /** The pieces of a streamed answer, at `/stream`. */
  texts?: () => AsyncIterable<string>;
};

/**
 * An app of a framework: Latchkey at its base path, `/notes` and `/stream` for people who are signed in,
 * `/open` for anyone.
 */
export type Build = (latchkey: Latchkey, manner?: Manner) => Promise<Server> | Server;

export const frameworks: Record<"Express" | "Express 4" | "Fastify" | "Hono", Build> = {
  Express: onExpress(express),
  // Its types would conflict with those of Express 5; the app below is the same in both.
  "Express 4": onExpress(createRequire(import.meta.url)("express4")),
  async Fastify(latchkey, { below, readsBodies, checksAll, texts = noTexts } = {}) {
    const app = fastify();
    if (readsBodies) keepRawBodies(app);
    if (checksAll === "onRequest") app.addHook("onRequest", inFastify.requireSession(latchkey));
    if (checksAll === "preHandler") app.addHook("preHandler", inFastify.requireSession(latchkey));
    if (below === undefined) await app.register(inFastify.mount, { latchkey });
    else
      await app.register(async (scope) => scope.register(inFastify.mount, { latchkey }), { prefix: below });
    const preHandler = inFastify.requireSession(latchkey);
    app.all("/notes", { preHandler }, async ({ latchkey: { account, session } }) => ({
      email: account.email,
      session: session.id,
    }));
    app.get("/stream", { preHandler }, async (_request, reply) => {
      return reply.type("text/plain").send(Readable.from(texts()));
    });
    app.get("/auth/own", async () => "the app's own");
    app.post("/open", async (request) => request.body);
    await app.ready();
    return app.server;
  },

  Hono: onHono(Hono),
};

/** With Express 4 or 5. */
function onExpress(ownExpress: typeof express): Build {
  return async (latchkey, { readsBodies, below, checksAll, first, texts = noTexts } = {}) => {
    const app = ownExpress();
    if (first) app.use(first);
    if (checksAll) app.use(inExpress.requireSession(latchkey));
    if (readsBodies === "json") app.use(ownExpress.json());
    if (readsBodies === "and keeps nothing")
      app.use((request, _reply, next) => request.on("end", next).resume());
    if (below === undefined) app.use(inExpress.mount(latchkey));
    else app.use(below, inExpress.mount(latchkey));
    app.all("/notes", inExpress.requireSession(latchkey), ({ latchkey: who }, reply) => {
      reply.json({ email: who?.account.email, session: who?.session.id });
    });
    app.get("/stream", inExpress.requireSession(latchkey), (_request, reply) => {
      Readable.from(texts()).pipe(reply.type("text/plain"));
    });
    app.post("/open", ownExpress.json(), (request, reply) => void reply.json(request.body));
    app.use(
      ((error, _request, reply, _next) =>
        void reply.status(500).send(error.message)) as express.ErrorRequestHandler,
    );
    const { createServer } = await import("node:http");
    return createServer(app);
  };
}

/** With the app's own copy of Hono. */
export function onHono(OwnHono: typeof Hono): Build {
  return (latchkey, { readsBodies, below, checksAll, texts = noTexts } = {}) => {
    const app = new OwnHono();
    if (readsBodies) {
      app.use(async (context, next) => {
        const { req } = context;
        if (req.method === "POST") await (readsBodies === "json" ? req.json() : req.raw.text());
        await next();
      });
    }
    if (checksAll) app.use(inHono.requireSession(latchkey));
    app.use(below === undefined ? "*" : `${below}/*`, inHono.mount(latchkey));
    app.all("/notes", inHono.requireSession(latchkey), (context) => {
      const { account, session } = context.get("latchkey");
      return context.json({ email: account.email, session: session.id });
    });
    app.get("/stream", inHono.requireSession(latchkey), (context) =>
      context.body(ReadableStream.from(texts()).pipeThrough(new TextEncoderStream())),
    );
    app.post("/open", async (context) => context.json(await context.req.json()));
    app.onError((error, context) => context.text(error.message, 500));
    return createAdaptorServer(app) as Server;
  };
}

/** Like plugins that keep a body's bytes for the app, for example to check its signature. */
function keepRawBodies(app: FastifyInstance): void {
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body, parsed) => {
    parsed(null, JSON.parse(body.toString()));
  });
  app.addHook("preParsing", async (_request, _reply, payload) => {
    const chunks: Buffer[] = [];
    for await (const chunk of payload) chunks.push(chunk as Buffer);
    return Readable.from(chunks);
  });
}

async function* noTexts(): AsyncGenerator<string> {}

export type TestApp = {
  readonly latchkey: Latchkey;
  readonly baseUrl: string;
  readonly port: number;
  /** A browser that has never been here; its paths are below Latchkey's base path. */
  client(userAgent?: string): Client;
  /** The same browser at the app's own paths. */
  app(client: Client): Client;
  close(): Promise<void>;
};

/** A listening app of a framework, with a Latchkey inside; `scheme` is what a proxy in front of it speaks. */
export async function startApp(
  build: Build,
  database: Pick<TestDatabase, "url" | "folder">,
  { manner, scheme = "http", ...options }: LatchkeyOptions & { manner?: Manner; scheme?: string } = {},
): Promise<TestApp> {
  const port = await freePort();
  const origin = `${scheme}://localhost:${port}`;
  const latchkey = await createLatchkey({
    logLevel: "silent",
    secretKey: randomBytes(32).toString("hex"),
    baseUrl: `${origin}/auth`,
    databaseUrl: database.url,
    outbox: `${database.folder}/outbox`,
    ...options,
  });
  const server = await build(latchkey, manner);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    latchkey,
    baseUrl: `${origin}/auth`,
    port,
    client: (userAgent) => new Client({ baseUrl: `${origin}/auth`, port, userAgent }),
    app: ({ jar, userAgent }) => new Client({ baseUrl: origin, port, userAgent, jar }),
    async close() {
      latchkey.closeStreams();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await latchkey.close();
    },
  };
}
