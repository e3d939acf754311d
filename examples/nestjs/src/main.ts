import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { createLatchkey } from "latchkey";
import { mount, requireSession } from "latchkey/express";
import { NotesModule } from "./notes.module.js";

const port = Number(process.env.PORT ?? 3000);
const latchkey = await createLatchkey({ baseUrl: `http://localhost:${port}/auth` });

const app = await NestFactory.create(NotesModule, { logger: ["error", "warn"] });
app.use(mount(latchkey));
app.use(requireSession(latchkey));
await app.listen(port);
console.log(`Your notes are at http://localhost:${port}`);

process.once("SIGTERM", () => {
  app.close().then(() => latchkey.close());
  latchkey.closeStreams();
});
