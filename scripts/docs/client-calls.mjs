// Finds out which call each method of the client makes, by making it.
import { createClient } from "../../src/client/client.ts";

/** By method: `POST /api/session`; nothing of those that make no call. */
export async function clientCalls(members) {
  const before = globalThis.fetch;
  const calls = {};
  try {
    for (const { name, parameters, takes } of members) {
      if (takes === undefined) continue;
      globalThis.fetch = async (path, { method }) => {
        calls[name] ??= `${method} ${path}`;
        return Response.json({});
      };
      await createClient()[name](...parameters.map(something));
      if (!calls[name]) throw new Error(`client.${name} makes no call.`);
    }
  } finally {
    globalThis.fetch = before;
  }
  return calls;
}

/** A value that a parameter takes. */
function something(parameter) {
  return /: (string|"[^{]*)$/.test(parameter) ? "x" : {};
}
