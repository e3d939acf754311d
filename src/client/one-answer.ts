import type { SignedIn, SignedOut } from "../answers.ts";
import { isReason, isSignedOut } from "./refused.ts";
import type { Reading } from "./send.ts";

/**
 * Handles 401s once for all tabs. A single 401 decides nothing: a request that was sent during the person's
 * own password change still carries the old token. So the guard asks again who is signed in; if that is
 * refused too, it tells every tab, once. It never logs out, since the cookie may be a newer one by now.
 */
export function createGuard({
  basePath,
  who,
}: {
  basePath: string;
  who(reading: Reading): Promise<SignedIn>;
}) {
  const { listen, tellAll, isOver, logins, startOver, onStartOver } = createTabs(basePath);
  let asking: { answer: Promise<SignedIn>; background: boolean } | undefined;
  let endingOwn: Promise<unknown> = Promise.resolve();

  async function askOnce(reading: Reading): Promise<SignedIn> {
    const before = logins();
    try {
      return await asSomebody(() => who(reading));
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      await endingOwn;
      // Somebody has logged in since, so this refusal is out of date.
      if (logins() !== before) return askOnce(reading);
      tellAll(error.ending);
      throw error;
    }
  }

  /**
   * Asks the server who is signed in. Callers at the same time share one request. But a call for a person who
   * comes back doesn't share a background request, which doesn't count as use of the session.
   */
  function ask({ background = false }: Reading = {}): Promise<SignedIn> {
    if (asking && (background || !asking.background)) return asking.answer;
    const answer = askOnce({ background }).finally(() => {
      if (asking?.answer === answer) asking = undefined;
    });
    asking = { answer, background };
    return answer;
  }

  /**
   * Makes a call that succeeds only if somebody is signed in. If it began after the tabs were told of an
   * ending, its success means that somebody is signed in again; if it began before, it means nothing.
   */
  async function asSomebody<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const wasOver = isOver();
    const answer = await call();
    if (wasOver) startOver();
    return answer;
  }

  /** Makes a call; if it gets a 401 although the session is live, makes it again. */
  async function run<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      return await asSomebody(call);
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      await ask({ background: true });
      return await call();
    }
  }

  /** Makes a call that ends the page's own session. Tabs are told of the ending after its answer. */
  function endOwn<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const answer = call();
    endingOwn = answer.catch(() => {});
    return answer;
  }

  return { ask, asSomebody, run, endOwn, tellAll, listen, startOver, onStartOver };
}

/** The message to other tabs when somebody is signed in again. Any other message is an ending. */
const SIGNED_IN = "signed in";

/** Tells every tab that nobody is signed in any more: once, until somebody is signed in again. */
function createTabs(basePath: string) {
  const listeners = new Set<(ending: SignedOut) => void>();
  const restarts = new Set<() => void>();
  let told = false;
  let logins = 0;
  let channel: BroadcastChannel | undefined;

  /** Opens the channel with the first listener: a page without listeners doesn't need it. */
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
      if (data === SIGNED_IN) begin();
      else if (isEnding(data)) tell(data);
    };
    return opened;
  }

  function tell(ending: SignedOut): void {
    if (told) return;
    told = true;
    for (const listener of listeners) listener(ending);
  }

  function begin(): void {
    logins += 1;
    if (!told) return;
    told = false;
    for (const restart of restarts) restart();
  }

  /** Reaches other tabs, and other clients in this one. Without listeners it opens a channel just to send. */
  function say(message: SignedOut | typeof SIGNED_IN): void {
    const speaking = channel ?? openChannel();
    speaking?.postMessage(message);
    if (speaking !== channel) speaking?.close();
  }

  return {
    listen,
    /** Does nothing if an ending was told already: another tab may be signed in by now. */
    tellAll(ending: SignedOut): void {
      if (told) return;
      say(ending);
      tell(ending);
    },
    /** Whether an ending was told, and nobody is known to have signed in since. */
    isOver: () => told,
    /** How many logins in any tab this client knows of. */
    logins: () => logins,
    /** Somebody is signed in: the next ending is told again, in every tab. */
    startOver(): void {
      say(SIGNED_IN);
      begin();
    },
    /** Calls the listener when somebody is signed in again. Returns a function that stops it. */
    onStartOver(listener: () => void): () => void {
      restarts.add(listener);
      return () => restarts.delete(listener);
    },
  };
}

function isEnding(data: unknown): data is SignedOut {
  return typeof data === "object" && data !== null && "reason" in data && isReason(data.reason);
}
