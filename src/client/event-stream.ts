import { isSignedOut } from "./refused.ts";

export type StreamOptions = {
  url: string;
  /** Data may have changed: an event came, or events may have been missed. */
  onChange(): void;
  /** Asks whether the session lives; rejects where it doesn't, or where nobody answers. */
  check(): Promise<unknown>;
  /** Nobody is signed in: the stream stays closed. */
  onOver(): void;
};

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
/** A stream that lived so long was a good one: the next wait begins small again. */
const GOOD_LIFE = 10_000;
const HEARTBEAT = 20_000;
/** A timer this late slept with the machine, and the connection may be dead without knowing. */
const SLEPT = 60_000;

/** Keeps one event stream open. Comes back after jittered, growing waits, so that a restart of the server brings no storm. */
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

  /** The session's own end, and its replacement by a newer one in this browser, look alike: the server knows. */
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

/** Tells when the network is back, and when the machine wakes up. Returns how to stop. */
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

/** The wait before the next try, in ms, after so many failures in a row. */
export function waitAfter(failures: number, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
  return whole * (0.5 + random() / 2);
}
