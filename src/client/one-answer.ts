import type { SignedIn, SignedOut } from "../answers.ts";
import { isReason, isSignedOut } from "./refused.ts";
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
      // Somebody has logged in since: this is about the time before.
      if (logins() !== before) return askOnce(reading);
      tellAll(error.ending);
      throw error;
    }
  }

  /**
   * Who is signed in, by the server's word. Those who ask at the same time share the answer; but when a
   * person comes back, the page's own question isn't enough, since it doesn't count as use of the session.
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
   * Makes a call that succeeds only for somebody who is signed in. One that began after an ending was told says
   * that somebody is again; one that began before says nothing.
   */
  async function asSomebody<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const wasOver = isOver();
    const answer = await call();
    if (wasOver) startOver();
    return answer;
  }

  /** Runs a call; where it is refused for the session, and the session lives, runs it again. */
  async function run<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      return await asSomebody(call);
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      await ask({ background: true });
      return await call();
    }
  }

  /** Makes a call that ends the page's own session. Nobody is told before it is answered: what it says comes first. */
  function endOwn<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    const answer = call();
    endingOwn = answer.catch(() => {});
    return answer;
  }

  return { ask, asSomebody, run, endOwn, tellAll, listen, startOver, onStartOver };
}

/** What tabs are told when somebody is signed in again; otherwise it is an ending. */
const SIGNED_IN = "signed in";

/** Tells every tab that nobody is signed in any more, each of them once until somebody is again. */
function createTabs(basePath: string) {
  const listeners = new Set<(ending: SignedOut) => void>();
  const restarts = new Set<() => void>();
  let told = false;
  let logins = 0;
  let channel: BroadcastChannel | undefined;

  /** Opens the channel for the first listener: a page that doesn't listen has nothing to hear. */
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

  /** Reaches every other tab, and other clients in this one. A page that doesn't listen opens its channel for it alone. */
  function say(message: SignedOut | typeof SIGNED_IN): void {
    const speaking = channel ?? openChannel();
    speaking?.postMessage(message);
    if (speaking !== channel) speaking?.close();
  }

  return {
    listen,
    /** Says nothing where that was told already: another tab may be signed in by now. */
    tellAll(ending: SignedOut): void {
      if (told) return;
      say(ending);
      tell(ending);
    },
    /** Whether an ending was told, and nobody is known to be signed in since. */
    isOver: () => told,
    /** How often somebody is known to have logged in, in whichever tab. */
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
