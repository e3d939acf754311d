import { Worker } from "node:worker_threads";
import { codeFile } from "../../own-files.ts";
import type { Judgement, Question } from "./password-strength-worker.ts";
import { createSemaphore } from "./semaphore.ts";

/** At 20 ms each, the last in the queue waits 2 s. */
const MOST_WAITING = 100;
/** In ms. Loading the dictionaries for the first question takes seconds on a busy machine. */
const TIMEOUT = 10_000;

const semaphore = createSemaphore(1, TIMEOUT, "Too many passwords are being judged.", MOST_WAITING);
let holders = 0;
let worker: Worker | undefined;

/**
 * The thread that judges password strength. All Latchkey instances in this process share it, since its
 * dictionaries take a second to load. It starts with the first question and gets one question at a time, so
 * one that times out in the queue costs nothing.
 */
export function holdStrengthThread() {
  holders += 1;
  return {
    /** @throws Busy if too many wait; or the error that ended the thread. */
    judge: (question: Question) => semaphore.run(() => ask(question)),
    /** Ends the thread once nobody holds it any more. */
    async release(): Promise<void> {
      holders -= 1;
      if (holders > 0) return;
      const last = worker;
      worker = undefined;
      await last?.terminate();
    },
  };
}

/** Asks the thread, which keeps the process alive only until it has answered. */
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
