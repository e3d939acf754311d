import { createLatchkey } from "latchkey";

const port = Number(process.env.PORT ?? 3000);

/** One for the process: a development server loads modules again. A build loads them, too, and makes none. */
export function latchkey() {
  globalThis.latchkey ??= createLatchkey({ baseUrl: `http://localhost:${port}/auth` }).then((latchkey) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => latchkey.closeStreams());
    return latchkey;
  });
  return globalThis.latchkey;
}
