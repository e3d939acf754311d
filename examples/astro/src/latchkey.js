import { createLatchkey } from "latchkey";

const port = Number(process.env.PORT ?? 3000);

/** One for the process: a development server loads modules again. */
globalThis.latchkey ??= createLatchkey({ baseUrl: `http://localhost:${port}/auth` }).then((latchkey) => {
  process.once("SIGTERM", () => latchkey.close().then(() => process.exit()));
  return latchkey;
});
export const { latchkey } = globalThis;
