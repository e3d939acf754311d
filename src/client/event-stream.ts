import { isSignedOut } from "./refused.ts";

export type StreamOptions = {
  url: string;
  /** Data may have changed: an event came, or events may have been missed. */
  onChange(): void;
  /** Asks whether the session is live; rejects if it isn't, or if there's no answer. */
  check(): Promise<unknown>;
  /** Nobody is signed in: the stream stays closed. */
  onOver(): void;
};

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
/** After a stream that lasted this long, in ms, the waits start short again. */
const GOOD_LIFE = 10_000;
const HEARTBEAT = 20_000;
/** If the heartbeat is this late, in ms, the machine was asleep and the connection may be dead. */
const SLEPT = 60_000;

/** Keeps one event stream open. Reconnects after growing waits with jitter, to spare a restarted server. */
export function keepStream({ url, onChange, check, onOver }: StreamOptions): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let openedAt = 0;
  let stopped = false;

  function connect(): void {
    close();
    const fresh = new EventSource(url);
    source = fresh;
    fresh.addEventListener("open", () => {
      openedAt = Date.now();
      onChange();
    });
    fresh.addEventListener("sessions-changed", () => onChange());
    fresh.addEventListener("signed-out", checkThenConnect);
    fresh.addEventListener("error", checkLater);
  }

  function checkLater(): void {
    close();
    if (openedAt > 0 && Date.now() - openedAt >= GOOD_LIFE) failures = 0;
    openedAt = 0;
    timer = setTimeout(checkThenConnect, waitAfter(failures));
    failures += 1;
  }

  /** Asks the server, since an ended session looks like one that a newer session in this browser replaced. */
  function checkThenConnect(): void {
    close();
    check().then(
      () => !stopped && connect(),
      (error: unknown) => !stopped && (isSignedOut(error) ? onOver() : checkLater()),
    );
  }

  function close(): void {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  }

  function reconnect(): void {
    failures = 0;
    connect();
  }

  const stopListening = onNetworkBack(reconnect);
  connect();

  return () => {
    stopped = true;
    close();
    stopListening();
  };
}

/** Calls back when the network is back, and when the machine wakes up. Returns a function that stops it. */
function onNetworkBack(back: () => void): () => void {
  let beatAt = Date.now();
  const heartbeat = setInterval(() => {
    const slept = Date.now() - beatAt > SLEPT;
    beatAt = Date.now();
    if (slept) back();
  }, HEARTBEAT);
  globalThis.addEventListener?.("online", back);
  return () => {
    clearInterval(heartbeat);
    globalThis.removeEventListener?.("online", back);
  };
}

/** The wait before the next try, in ms, after this many failures in a row. */
export function waitAfter(failures: number, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
  return whole * (0.5 + random() / 2);
}
