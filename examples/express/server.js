import { fileURLToPath } from "node:url";
import express from "express";
import { createLatchkey } from "latchkey";
import { mount, requireSession } from "latchkey/express";
import { devicesPage } from "./devices-page.js";
import { notesPage } from "./notes-page.js";

const port = Number(process.env.PORT ?? 3000);
const baseUrl = `http://localhost:${port}/auth`;
const latchkey = await createLatchkey({ baseUrl });
const notes = new Map();
const streams = new Map();

const app = express();
app.use(mount(latchkey));
app.use(requireSession(latchkey));

app.get("/", ({ latchkey: { account } }, reply) => {
  reply.send(notesPage(account.email, notes.get(account.id) ?? []));
});

app.post("/notes", express.urlencoded(), ({ latchkey: { account }, body }, reply) => {
  notes.set(account.id, [...(notes.get(account.id) ?? []), String(body?.note ?? "")]);
  reply.redirect(303, "/");
});

app.get("/devices", (_request, reply) => reply.send(devicesPage));
app.get("/elements.js", (_request, reply) => {
  reply.sendFile(fileURLToPath(import.meta.resolve("latchkey/elements")));
});

// A connection that stays open is checked once, when it begins; so it is closed when its session ends.
app.get("/stream", ({ latchkey: { session } }, reply) => {
  reply.type("text/event-stream").write("event: hello\ndata: {}\n\n");
  streams.set(reply, session.id);
  reply.on("close", () => streams.delete(reply));
});
latchkey.on("session-ended", ({ sessionId }) => {
  for (const [reply, id] of streams) if (id === sessionId) reply.end();
});

const server = app.listen(port, () => console.log(`Your notes are at http://localhost:${port}`));
process.once("SIGTERM", () => {
  server.close(() => latchkey.close());
  latchkey.closeStreams();
  for (const reply of streams.keys()) reply.end();
});
