import type { SignedIn, SignedOut } from "../answers.ts";
import { isReason, Refused } from "./refused.ts";
import type { Reading } from "./send.ts";

/**
 * One answer to 401 over all tabs. A 401 alone decides nothing: a request under way during one's own
 * password change still carries the old token. So it asks once more who it is; if that is refused too,
 * every tab is told, once. It never logs out: the cookie may be a newer one by now.
 */
export function createGuard({
  basePath,
  who,
}: {
  basePath: string;
  who(reading: Reading): Promise<SignedIn>;
}) {
  const listeners = new Set<(ending: SignedOut) => void>();
  let asking: { answer: Promise<SignedIn>; background: boolean } | undefined;
  let over = false;
  let channel: BroadcastChannel | undefined;

  /** Opened by the first listener: a page that doesn't listen has nothing to hear. */
  function listen(listener: (ending: SignedOut) => void): () => void {
    listeners.add(listener);
    channel ??= openChannel();
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      channel?.close();
      channel = undefined;
    };
  }

  function openChannel(): BroadcastChannel | undefined {
    if (!("BroadcastChannel" in globalThis)) return undefined;
    const opened = new BroadcastChannel(`latchkey-signed-out ${basePath}`);
    opened.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (isEnding(data)) tell(data);
    };
    return opened;
  }

  function tell(ending: SignedOut): void {
    if (over) return;
    over = true;
    for (const listener of listeners) listener(ending);
  }

  /** A page that doesn't listen itself opens its channel for this one word. */
  function tellAll(ending: SignedOut): void {
    const speaking = channel ?? openChannel();
    speaking?.postMessage(ending);
    if (speaking !== channel) speaking?.close();
    tell(ending);
  }

  async function askOnce(reading: Reading): Promise<SignedIn> {
    try {
      const answer = await who(reading);
      over = false;
      return answer;
    } catch (error) {
      if (error instanceof Refused && error.isSignedOut) tellAll(error.ending);
      throw error;
    }
  }

  /**
   * Who is signed in, by the server's word. Those who ask at the same time share the answer; but where a
   * person comes back, the page's own question doesn't do, since that is no use of the session.
   */
  function ask({ background = false }: Reading = {}): Promise<SignedIn> {
    if (asking && (background || !asking.background)) return asking.answer;
    const answer = askOnce({ background }).finally(() => {
      if (asking?.answer === answer) asking = undefined;
    });
    asking = { answer, background };
    return answer;
  }

  /** Runs a call; where it is refused for the session, and the session lives, runs it again. */
  async function run<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Refused && error.isSignedOut)) throw error;
      await ask({ background: true });
      return await call();
    }
  }

  return { ask, run, tellAll, listen };
}

function isEnding(data: unknown): data is SignedOut {
  return typeof data === "object" && data !== null && "reason" in data && isReason(data.reason);
}
