import { keepStream } from "./event-stream.ts";
import type { Reading } from "./send.ts";

export type LiveOptions = {
  basePath: string;
  onChange(): void;
  check(reading: Reading): Promise<unknown>;
  /** Calls the listener when somebody is signed in again after nobody was. Returns a function that stops it. */
  onSignedInAgain(listener: () => void): () => void;
};

/** How long a leader may take to answer, in ms, before another tab that is being looked at takes over. */
const LEADERS_ANSWER = 2_000;

/**
 * Tells of changes by one event stream for all tabs: browsers allow six connections to a host over
 * HTTP/1.1, so a stream for each tab would block the seventh. Whoever holds the lock has the stream and
 * passes on what it hears; when that tab goes, the browser gives the lock to the next.
 */
export function watchLive(options: LiveOptions): () => void {
  let stop = start(options);
  const sleep = () => stop();
  const wake = (event: PageTransitionEvent) => {
    if (!event.persisted) return;
    stop = start(options);
    checkAgain(options);
  };
  const forget = options.onSignedInAgain(() => {
    stop();
    stop = start(options);
  });
  const look = () => isVisible() && checkAgain(options);
  globalThis.addEventListener?.("pagehide", sleep);
  globalThis.addEventListener?.("pageshow", wake);
  globalThis.document?.addEventListener("visibilitychange", look);
  return () => {
    stop();
    forget();
    globalThis.removeEventListener?.("pagehide", sleep);
    globalThis.removeEventListener?.("pageshow", wake);
    globalThis.document?.removeEventListener("visibilitychange", look);
  };
}

/** A person who comes back to a page uses their session; what it shows of that is read after it. */
function checkAgain({ check, onChange }: LiveOptions): void {
  // Whether nobody is signed in or nobody answers is the guard's business, and the stream's.
  check({ background: false }).then(onChange, () => {});
}

function start(options: LiveOptions): () => void {
  const canShare = "locks" in navigator && "BroadcastChannel" in globalThis;
  return canShare ? shareStream(options) : ownStream(options);
}

/** Web Locks are missing on plain http beyond localhost: there only the tab that is looked at has a stream. */
function ownStream(options: LiveOptions): () => void {
  let stop: (() => void) | undefined;
  const follow = () => {
    stop?.();
    stop = document.hidden ? undefined : streamOf(options, options.onChange);
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    stop?.();
    document.removeEventListener("visibilitychange", follow);
  };
}

function shareStream(options: LiveOptions): () => void {
  const name = `latchkey-live ${options.basePath}`;
  const channel = new BroadcastChannel(name);
  const over = new AbortController();
  let waiting = new AbortController();
  let leading = false;
  let doubt: ReturnType<typeof setTimeout> | undefined;

  /** Holds the lock, and with it the stream, until this tab stops or another takes the lock away. */
  function stand(steal: boolean): void {
    waiting = new AbortController();
    const how = steal ? { steal } : { signal: waiting.signal };
    let stopStream: (() => void) | undefined;
    const lead = () =>
      new Promise<void>((resolve) => {
        if (over.signal.aborted) return resolve();
        leading = true;
        const change = () => {
          options.onChange();
          if (!over.signal.aborted) channel.postMessage("changed");
        };
        // A tab without a stream lets go of the lock, or nobody else could have one later.
        stopStream = streamOf(options, change, resolve);
        over.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    const stepDown = () => {
      stopStream?.();
      leading = leading && stopStream === undefined;
    };
    navigator.locks.request(name, how, lead).then(stepDown, () => {
      const wasStolen = stopStream !== undefined;
      stepDown();
      if (wasStolen && !over.signal.aborted) stand(false);
    });
  }

  /** A leader in the background may have been frozen together with its stream. */
  function doubtLeader(): void {
    clearTimeout(doubt);
    if (leading || !isVisible()) return;
    channel.postMessage("who leads?");
    doubt = setTimeout(() => {
      waiting.abort();
      stand(true);
    }, LEADERS_ANSWER);
  }

  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data === "changed") options.onChange();
    if (data === "who leads?" && leading) channel.postMessage("I lead");
    if (data === "I lead" || data === "changed") clearTimeout(doubt);
  };
  globalThis.document?.addEventListener("visibilitychange", doubtLeader);
  stand(false);

  return () => {
    over.abort();
    waiting.abort();
    clearTimeout(doubt);
    channel.close();
    globalThis.document?.removeEventListener("visibilitychange", doubtLeader);
  };
}

function streamOf({ basePath, check }: LiveOptions, onChange: () => void, onOver: () => void = () => {}) {
  return keepStream({
    url: `${basePath}/api/live`,
    onChange,
    check: () => check({ background: true }),
    onOver,
  });
}

function isVisible(): boolean {
  return globalThis.document?.visibilityState === "visible";
}
