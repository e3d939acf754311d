import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createLatchkey } from "latchkey";
import { mount, requireSession } from "latchkey/hono";
import { notesPage } from "./notes-page.js";

const port = Number(process.env.PORT ?? 3000);
const baseUrl = `http://localhost:${port}/auth`;
const latchkey = await createLatchkey({ baseUrl });
const notes = new Map();

const app = new Hono();
app.use(mount(latchkey));
app.use(requireSession(latchkey));

app.get("/", (context) => {
  const { account } = context.get("latchkey");
  return context.html(notesPage(account.email, notes.get(account.id) ?? []));
});

app.post("/notes", async (context) => {
  const { account } = context.get("latchkey");
  const { note = "" } = await context.req.parseBody();
  notes.set(account.id, [...(notes.get(account.id) ?? []), String(note)]);
  return context.redirect("/", 303);
});

const server = serve({ fetch: app.fetch, port }, () =>
  console.log(`Your notes are at http://localhost:${port}`),
);
process.once("SIGTERM", () => {
  server.close(() => latchkey.close());
  latchkey.closeStreams();
});
