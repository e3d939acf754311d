import { keepStream } from "./event-stream.ts";
import type { Reading } from "./send.ts";

export type LiveOptions = {
  basePath: string;
  onChange(): void;
  check(reading: Reading): Promise<unknown>;
  /** Calls the listener when somebody is signed in again after nobody was. Returns a function that stops it. */
  onSignedInAgain(listener: () => void): () => void;
};

/** How long the leading tab may take to answer, in ms, before a visible tab takes over. */
const LEADERS_ANSWER = 2_000;

/**
 * Watches for changes with one event stream for all tabs: browsers allow six connections to a host over
 * HTTP/1.1, so with a stream per tab the seventh tab would hang. The tab that holds the lock has the stream
 * and tells the others of changes; when it closes, the browser gives the lock to the next tab.
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

/** Coming back to a page counts as use of the session. Data is read after that, so that it shows the use. */
function checkAgain({ check, onChange }: LiveOptions): void {
  // The guard handles that nobody is signed in, and the stream that there's no answer.
  check({ background: false }).then(onChange, () => {});
}

function start(options: LiveOptions): () => void {
  const canShare = "locks" in navigator && "BroadcastChannel" in globalThis;
  return canShare ? shareStream(options) : ownStream(options);
}

/** Web Locks don't exist on plain http except on localhost. There, only the visible tab has a stream. */
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

  /** Asks for the lock, and holds it and the stream until this tab stops or another one steals the lock. */
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
        // When the stream is over, this tab releases the lock, so that another tab can have a stream later.
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

  /** Takes over if the leading tab doesn't answer: browsers may freeze tabs in the background. */
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
