import type { Database } from "../../database/database.ts";

/** Whose sessions may have changed. */
export type Hint = string | "everyone";

/** Somebody who follows the sessions of this installation and passes changes on. */
export type Subscriber = {
  /** Whether this hint is a reason to look. */
  concerns(hint: Hint): boolean;
  /** Reads the tables and passes on changes. If it throws, it is called again later, for everyone. */
  look(hints: ReadonlySet<Hint>): Promise<void>;
  onError(error: unknown): void;
  /** Hints that come within this time of each other cause one call of `look`, in ms. */
  gather: number;
};

export type Subscription = {
  /** Asks for a look that no announcement has caused. */
  hint(hint: Hint): void;
  /** Ends the subscription; resolves once a look that is under way is over. */
  stop(): Promise<void>;
};

/** After a look that failed, how long until the next, in ms. */
const LOOK_AGAIN = 1_000;

/**
 * Watches the sessions of this installation, whichever node or command changes them. An announcement is only
 * a hint: what subscribers report comes from the tables. Looks run one at a time; hints that come meanwhile
 * wait for the next one.
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
