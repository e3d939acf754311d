// Finds out which call each method of the client makes, by making it.
import { createClient } from "../../src/client/client.ts";

/** By method, such as `POST /api/session`; methods that make no call are left out. */
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

/** A value that the parameter accepts. */
function something(parameter) {
  return /: (string|"[^{]*)$/.test(parameter) ? "x" : {};
}
