/** Waits between tries, in ms: they grow, and differ from browser to browser, so that a restart is no storm. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;

type Watching = {
  basePath: string;
  /** Something of this account may have changed. */
  onChange: () => void;
  /** Asks whether the session still lives; tells every tab where it doesn't. */
  check: () => Promise<boolean>;
};

/**
 * Hears of changes by one stream for all tabs: browsers open six connections to a site at most, and
 * eight tabs with a stream each would leave none. The tab that holds the lock holds the stream and tells
 * the others; when it closes, another one takes over. Returns how to stop.
 */
export function watchLive({ basePath, onChange, check }: Watching): () => void {
  const stop = new AbortController();
  const channel = new BroadcastChannel(`latchkey:live:${basePath}`);
  channel.addEventListener("message", onChange);
  const changed = () => {
    channel.postMessage("changed");
    onChange();
  };
  const since = Date.now();
  // A tab that takes over from another has missed what happened in between.
  const hold = () =>
    holdStream(`${basePath}/api/live`, changed, check, Date.now() - since < FIRST_WAIT, stop.signal);
  if (navigator.locks) {
    navigator.locks.request(`latchkey:live:${basePath}`, { signal: stop.signal }, hold).catch(() => {});
  } else void hold();
  return () => {
    stop.abort();
    channel.close();
  };
}

/** Holds the stream, through lost connections, until the signal comes or nobody is signed in. */
async function holdStream(
  url: string,
  changed: () => void,
  check: () => Promise<boolean>,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<void> {
  let wait = FIRST_WAIT;
  let knowsAll = isFirst;
  while (!signal.aborted) {
    const opened = await listenOnce(url, changed, knowsAll, signal);
    knowsAll = false;
    if (signal.aborted) return;
    if (opened) wait = FIRST_WAIT;
    const lives = await check().catch(() => true);
    if (!lives) return;
    await pause(wait * (0.5 + Math.random()), signal);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

/** One connection, until it is lost or says that the session has ended. Returns whether it was ever open. */
function listenOnce(
  url: string,
  changed: () => void,
  knowsAll: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = new EventSource(url);
    let opened = false;
    const done = () => {
      stream.close();
      signal.removeEventListener("abort", done);
      resolve(opened);
    };
    stream.addEventListener("open", () => {
      opened = true;
      // What happened while there was no stream was told to nobody.
      if (!knowsAll) changed();
    });
    stream.addEventListener("sessions-changed", changed);
    stream.addEventListener("signed-out", done);
    stream.addEventListener("error", done);
    signal.addEventListener("abort", done);
  });
}

/** Waits; a browser that comes back online, or a page that is looked at again, waits no longer. */
function pause(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      document.removeEventListener("visibilitychange", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, time);
    window.addEventListener("online", done);
    document.addEventListener("visibilitychange", done);
    signal.addEventListener("abort", done);
  });
}
