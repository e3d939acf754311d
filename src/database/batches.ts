import type { LookedUp, LookUp } from "./database.ts";
import { type Deadline, deadlineIn, within } from "./deadline.ts";

const TOKENS_A_BATCH = 2_000;
/** How long a look-up may take, waiting included, in ms; after that the request is answered with 503. */
const LOOK_UP_LIMIT = 5_000;

/** Looks up all tokens at once, and may take until the deadline. */
export type FindAll = (tokens: readonly string[], deadline: Deadline) => Promise<LookedUp>;

/** The look-ups of one turn of the event loop: all are answered together, or time out together. */
type Turn = {
  tokens: string[];
  deadline: Deadline;
  found: Promise<LookedUp>;
  answer: (found: LookedUp) => void;
  fail: (error: unknown) => void;
};

/**
 * Gathers the look-ups of each turn of the event loop into batches. Batches run one at a time, and each
 * sees what the one before it has learnt. A look-up is only ever answered by a batch that began after the
 * look-up did. Answering many requests in a row costs a busy server less than answering each on its own.
 */
export function inBatches(findAll: FindAll): LookUp {
  const waiting: Turn[] = [];
  let open: Turn | null = null;
  let isAsking = false;

  function closeTurn(): void {
    if (open !== null) waiting.push(open);
    open = null;
    if (!isAsking) void askForAll();
  }

  async function askForAll(): Promise<void> {
    isAsking = true;
    for (let batch = nextBatch(waiting); batch.length > 0; batch = nextBatch(waiting)) await answer(batch);
    isAsking = false;
  }

  /**
   * A batch may take until the deadline of its last turn; earlier turns still time out at their own
   * deadlines.
   */
  async function answer(batch: readonly Turn[]): Promise<void> {
    const tokens = batch.flatMap((turn) => turn.tokens);
    try {
      const found = await findAll(tokens, batch.at(-1)?.deadline ?? 0);
      let start = 0;
      for (const turn of batch) {
        turn.answer(found.slice(start, start + turn.tokens.length));
        start += turn.tokens.length;
      }
    } catch (error) {
      for (const turn of batch) turn.fail(error);
    }
  }

  return async (tokens) => {
    if (tokens.length === 0) return [];
    if (open === null) {
      open = openTurn();
      setImmediate(closeTurn);
    }
    const start = open.tokens.length;
    open.tokens.push(...tokens);
    return (await open.found).slice(start, start + tokens.length);
  };
}

/** Takes waiting turns until the batch is full, and drops those that have timed out. */
function nextBatch(waiting: Turn[]): Turn[] {
  const batch: Turn[] = [];
  let tokens = 0;
  while (waiting[0] !== undefined && tokens < TOKENS_A_BATCH) {
    const turn = waiting.shift() as Turn;
    if (turn.deadline <= performance.now()) continue;
    tokens += turn.tokens.length;
    batch.push(turn);
  }
  return batch;
}

function openTurn(): Turn {
  const { promise, resolve, reject } = Promise.withResolvers<LookedUp>();
  const deadline = deadlineIn(LOOK_UP_LIMIT);
  return { tokens: [], deadline, found: within(deadline, promise), answer: resolve, fail: reject };
}
