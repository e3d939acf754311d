import { setClock } from "./clock.ts";
import { Refused, readRefusal, Unreachable } from "./refused.ts";

/** `background: true` marks a page's own refresh, which doesn't count as use of the session. */
export type Reading = { background?: boolean };

export type Call = Reading & { method: "GET" | "POST" | "PUT" | "DELETE"; path: string; body?: object };

/** How long an answer may take, in ms: on a phone without reception, the person should be told. */
const TIMEOUT = 20_000;

/** The waits before new tries, in ms, if the device's proof was missing. Browsers fetch one before each. */
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

/** Uses its own timer: Safari 15 and Chrome 102 have no `AbortSignal.timeout`. */
async function sendOnce<Answer>(basePath: string, call: Call): Promise<Answer> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), TIMEOUT);
  try {
    const response = await reach(basePath, call, over.signal);
    setClock(response.headers);
    if (!response.ok) throw await readRefusal(response);
    if (response.status === 204) return undefined as Answer;
    // The only unchecked cast of an answer: the server's tests check that its answers match the contract.
    return (await read(response)) as Answer;
  } finally {
    clearTimeout(timer);
  }
}

/** An answer that breaks off counts as none. One that isn't JSON comes from a proxy or a Wi-Fi login page. */
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
  // Even without a body: SvelteKit refuses unsafe methods that have neither a type nor an Origin.
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
