import formbody from "@fastify/formbody";
import fastify from "fastify";
import { createLatchkey } from "latchkey";
import { mount, requireSession } from "latchkey/fastify";
import { notesPage } from "./notes-page.js";

const port = Number(process.env.PORT ?? 3000);
const baseUrl = `http://localhost:${port}/auth`;
const latchkey = await createLatchkey({ baseUrl });
const notes = new Map();

const app = fastify();
await app.register(formbody);
await app.register(mount, { latchkey });
const preHandler = requireSession(latchkey);

app.get("/", { preHandler }, async ({ latchkey: { account } }, reply) => {
  return reply.type("text/html").send(notesPage(account.email, notes.get(account.id) ?? []));
});

app.post("/notes", { preHandler }, async ({ latchkey: { account }, body }, reply) => {
  notes.set(account.id, [...(notes.get(account.id) ?? []), String(body?.note ?? "")]);
  return reply.redirect("/", 303);
});

await app.listen({ port });
console.log(`Your notes are at http://localhost:${port}`);
process.once("SIGTERM", () => app.close().then(() => latchkey.close()));
