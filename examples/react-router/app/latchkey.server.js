import { createLatchkey } from "latchkey";

const port = Number(process.env.PORT ?? 3000);

/** One for the process: a development server loads modules again. */
globalThis.latchkey ??= createLatchkey({ baseUrl: `http://localhost:${port}/auth` }).then((latchkey) => {
  process.once("SIGTERM", () => latchkey.closeStreams());
  return latchkey;
});
export const { latchkey } = globalThis;

/** Who is signed in, for loaders and actions; anyone else is sent to the login page. */
export async function requireSession(request) {
  const who = await (await latchkey).requireSession(pageOf(request));
  if (who instanceof Response) throw who;
  return who;
}

/** The router's own requests for a page look like data; who asks is a person all the same. */
function pageOf({ method, url, headers }) {
  const get = (name) => (name === "sec-fetch-mode" ? "navigate" : headers.get(name));
  return { method, url, headers: { get } };
}
