import type { Database } from "../../database/database.ts";

/** Whose sessions may have changed. */
export type Hint = string | "everyone";

/** What follows the sessions of this installation, and tells others of it. */
export type Subscriber = {
  /** Whether this hint is a reason to look. */
  concerns(hint: Hint): boolean;
  /** Looks into the tables and tells what is found there; where it throws, it is asked to look at everyone again. */
  look(hints: ReadonlySet<Hint>): Promise<void>;
  onError(error: unknown): void;
  /** Hints that come closer together than this are looked into once, in ms. */
  gather: number;
};

export type Subscription = {
  /** A reason to look that nobody has announced. */
  hint(hint: Hint): void;
  /** Ends the subscription; resolves once a look that is under way is over. */
  stop(): Promise<void>;
};

/** After a database that didn't answer, a subscriber looks again this much later, in ms. */
const LOOK_AGAIN = 1_000;

/**
 * Watches the sessions of this installation, whichever node or command line changes them. An announcement is
 * only a hint to look: what is told comes from the tables. One look at a time, with every hint that came meanwhile
 * in the next.
 */
export function watch(database: Pick<Database, "onAnnouncement">, subscriber: Subscriber): Subscription {
  let hints = new Set<Hint>();
  let underWay: Promise<void> | undefined;
  let gathering: NodeJS.Timeout | undefined;
  let again: NodeJS.Timeout | undefined;
  let isOver = false;
  const stopListening = database.onAnnouncement(hint);

  function hint(given: Hint): void {
    if (isOver || !subscriber.concerns(given)) return;
    hints.add(given);
    lookSoon();
  }

  function lookSoon(): void {
    if (underWay || gathering || hints.size === 0 || isOver) return;
    if (subscriber.gather === 0) begin();
    else gathering = setTimeout(begin, subscriber.gather).unref();
  }

  function begin(): void {
    gathering = undefined;
    underWay = look().finally(() => {
      underWay = undefined;
      lookSoon();
    });
  }

  async function look(): Promise<void> {
    const given = hints;
    hints = new Set();
    try {
      await subscriber.look(given);
    } catch (error) {
      subscriber.onError(error);
      clearTimeout(again);
      if (!isOver) again = setTimeout(() => hint("everyone"), LOOK_AGAIN).unref();
    }
  }

  return {
    hint,
    async stop() {
      stopListening();
      isOver = true;
      clearTimeout(gathering);
      clearTimeout(again);
      await underWay;
    },
  };
}
