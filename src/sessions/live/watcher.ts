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
 * only a hint to look: what is told comes from the tables. Listens for announcements only while somebody subscribes.
 */
export class Watcher {
  readonly #database: Pick<Database, "onAnnouncement">;
  readonly #looks = new Set<Look>();
  #stopListening: (() => void) | undefined;

  constructor(database: Pick<Database, "onAnnouncement">) {
    this.#database = database;
  }

  subscribe(subscriber: Subscriber): Subscription {
    const look = new Look(subscriber);
    this.#looks.add(look);
    this.#stopListening ??= this.#database.onAnnouncement((hint) => {
      for (const one of this.#looks) one.hint(hint);
    });
    return {
      hint: (hint) => look.hint(hint),
      stop: () => {
        this.#looks.delete(look);
        if (this.#looks.size === 0) {
          this.#stopListening?.();
          this.#stopListening = undefined;
        }
        return look.stop();
      },
    };
  }
}

/** One subscriber's looks: one at a time, with every hint that came meanwhile in the next. */
class Look {
  readonly #subscriber: Subscriber;
  #hints = new Set<Hint>();
  #underWay: Promise<void> | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(subscriber: Subscriber) {
    this.#subscriber = subscriber;
  }

  hint(hint: Hint): void {
    if (this.#isOver || !this.#subscriber.concerns(hint)) return;
    this.#hints.add(hint);
    this.#lookSoon();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#gathering);
    clearTimeout(this.#again);
    await this.#underWay;
  }

  #lookSoon(): void {
    if (this.#underWay || this.#gathering || this.#hints.size === 0 || this.#isOver) return;
    const { gather } = this.#subscriber;
    if (gather === 0) this.#begin();
    else this.#gathering = setTimeout(() => this.#begin(), gather).unref();
  }

  #begin(): void {
    this.#gathering = undefined;
    this.#underWay = this.#look().finally(() => {
      this.#underWay = undefined;
      this.#lookSoon();
    });
  }

  async #look(): Promise<void> {
    const hints = this.#hints;
    this.#hints = new Set();
    try {
      await this.#subscriber.look(hints);
    } catch (error) {
      this.#subscriber.onError(error);
      clearTimeout(this.#again);
      if (!this.#isOver) this.#again = setTimeout(() => this.hint("everyone"), LOOK_AGAIN).unref();
    }
  }
}
