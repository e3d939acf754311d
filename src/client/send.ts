import { setClock } from "./clock.ts";
import { Refused, readRefusal, Unreachable } from "./refused.ts";

/** A page's own refresh says so, and doesn't count as use of the session. */
export type Reading = { background?: boolean };

export type Call = Reading & { method: "GET" | "POST" | "PUT" | "DELETE"; path: string; body?: object };

/** How long an answer may take, in ms: a phone in a lift should hear that it failed. */
const TIMEOUT = 20_000;

/** When to try again, in ms, where a browser had no proof of its device: it gets a new one before each try. */
const TRIES_AGAIN = [300, 2_000];

/** Makes one call and reads the answer; throws `Refused` or `Unreachable`. */
export async function send<Answer>(basePath: string, call: Call): Promise<Answer> {
  for (const pause of TRIES_AGAIN) {
    try {
      return await sendOnce(basePath, call);
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "device_proof_needed") throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return sendOnce(basePath, call);
}

/** Gives up by a timer of its own: Safari 15 and Chrome 102 have no `AbortSignal.timeout`. */
async function sendOnce<Answer>(basePath: string, call: Call): Promise<Answer> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), TIMEOUT);
  try {
    const response = await reach(basePath, call, over.signal);
    setClock(response.headers);
    if (!response.ok) throw await readRefusal(response);
    if (response.status === 204) return undefined as Answer;
    // The one place where the server is taken at its word: its answers are held to the contract by its tests.
    return (await read(response)) as Answer;
  } finally {
    clearTimeout(timer);
  }
}

/** An answer that breaks off is none, and one that isn't JSON is a proxy's, or the login page of a hotel's network. */
async function read(response: Response): Promise<unknown> {
  const text = await response.text().catch((error: unknown) => {
    throw new Unreachable(null, error);
  });
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unreachable(response.status, error);
  }
}

async function reach(
  basePath: string,
  { method, path, body, background }: Call,
  signal: AbortSignal,
): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  // Without a body, too: SvelteKit refuses a change that has neither a type nor an Origin, which not every browser sends.
  if (method !== "GET") headers.set("Content-Type", "application/json");
  if (background) headers.set("Latchkey-Background", "1");
  try {
    return await fetch(`${basePath}${path}`, {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal,
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new Unreachable(null, error);
  }
}
