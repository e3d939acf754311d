import { Worker } from "node:worker_threads";
import { codeFile } from "../../own-files.ts";
import type { Judgement, Question } from "./password-strength-worker.ts";
import { createSemaphore } from "./semaphore.ts";

/** At 20 ms each, the last one waits 2 s. */
const MOST_WAITING = 100;
/** In ms. The first question waits until the dictionaries are read, which takes seconds on a busy machine. */
const TIMEOUT = 10_000;

const semaphore = createSemaphore(1, TIMEOUT, "Too many passwords are being judged.", MOST_WAITING);
let holders = 0;
let worker: Worker | undefined;

/**
 * The thread that judges passwords, one for all Latchkeys of this process: its dictionaries take a second to read.
 * It begins with the first question. It answers one at a time and knows of no other, so one that is given up
 * costs nothing.
 */
export function holdStrengthThread() {
  holders += 1;
  return {
    /** @throws Busy where too many wait; whatever ended the thread. */
    judge: (question: Question) => semaphore.run(() => ask(question)),
    /** The last one to let go ends the thread. */
    async release(): Promise<void> {
      holders -= 1;
      if (holders > 0) return;
      const last = worker;
      worker = undefined;
      await last?.terminate();
    },
  };
}

/** Keeps the process alive only while it waits for the thread. */
async function ask(question: Question): Promise<Judgement> {
  worker ??= start();
  const asked = worker;
  const { promise, resolve, reject } = Promise.withResolvers<Judgement>();
  const ended = () => reject(new Error("The thread that judges passwords has ended."));
  asked.on("message", resolve).on("error", reject).on("exit", ended).ref();
  asked.postMessage(question);
  try {
    return await promise;
  } finally {
    asked.off("message", resolve).off("error", reject).off("exit", ended).unref();
  }
}

function start(): Worker {
  const fresh = new Worker(codeFile("credentials/passwords/password-strength-worker.ts"));
  const forget = () => {
    if (worker === fresh) worker = undefined;
  };
  return fresh.once("error", forget).once("exit", forget);
}
