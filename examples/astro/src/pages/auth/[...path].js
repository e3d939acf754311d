import { latchkey } from "../../latchkey.js";

/** Latchkey's pages, their files and the API, with every method. */
export async function ALL({ request, clientAddress }) {
  return (await latchkey).fetch(request, clientAddress);
}
