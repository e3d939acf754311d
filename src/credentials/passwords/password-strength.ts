import { Worker } from "node:worker_threads";
import type { Judgement, Question } from "./password-strength-worker.ts";
import { createSemaphore } from "./semaphore.ts";

/** Of zxcvbn's 0 to 4: below, a patient guesser of a stolen database gets there. */
const LEAST_SCORE = 3;
/**
 * What the estimator judges in 20 ms however hostile it is, in UTF-16 units: its time grows with the square.
 * What follows can only make a password stronger.
 */
const JUDGED_LENGTH = 28;
/** More of them are in no address that a person has; each makes every look into the dictionaries a little slower. */
const MOST_OWN_WORDS = 40;
/** Far beyond any person's or password manager's; bounds what is hashed. */
const LONGEST = 1_024;
/** So many wait at most: at 20 ms each, the last of them for 2 s. */
const MOST_WAITING = 100;
/** In ms. The first question waits until the dictionaries are read, which takes seconds on a busy machine. */
const PATIENCE = 10_000;
/** What must be left of a password without the words that any guesser of this account tries first. */
const LEAST_REST = 8;
/** What guessers begin with, whatever the site. */
const USUAL_WORDS = ["password", "sign-in", "login"];

export type PasswordStrength = {
  /** Null where the password will do, else one sentence that says why not. */
  whyWeak(password: string, ownWords: string[]): Promise<string | null>;
  close(): Promise<void>;
};

/**
 * Judges new passwords: length in code points, and how guessable they are, without rules of
 * composition (NIST SP 800-63B-4, 3.1.1.2); words of the product, the site (`names`) and the account itself
 * count for nothing (ASVS 6.2.11). In a thread of its own, one at a time: the thread knows of no question
 * but the one that it is at, so one that is given up costs nothing.
 */
export function createPasswordStrength(minLength: number, names: readonly string[]): PasswordStrength {
  const siteWords = ["latchkey", ...names, ...names.flatMap((name) => name.split(/[^\p{L}\p{N}-]+/u))];
  const semaphore = createSemaphore(1, PATIENCE, "Too many passwords are being judged.", MOST_WAITING);
  let worker: Worker | undefined;

  function start(): Worker {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const fresh = new Worker(new URL(`./password-strength-worker.${extension}`, import.meta.url));
    const forget = () => {
      if (worker === fresh) worker = undefined;
    };
    return fresh.once("error", forget).once("exit", forget);
  }

  /** Keeps the process alive only while it waits for the thread. @throws whatever ended the thread. */
  async function judge(question: Question): Promise<Judgement> {
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

  return {
    async whyWeak(password, ownWords) {
      const normal = password.normalize("NFC");
      const length = [...normal].length;
      if (length < minLength) return `Use at least ${minLength} characters.`;
      if (length > LONGEST) return `Use at most ${LONGEST} characters.`;
      const words = [...siteWords, ...ownWords.slice(0, MOST_OWN_WORDS)].filter((word) => word.length > 2);
      if (without(USUAL_WORDS, normal).length < LEAST_REST)
        return 'A password that is little more than a word like "password" is guessed first. Add a few unrelated words.';
      if (without([...words, ...USUAL_WORDS], normal).length < LEAST_REST) {
        return "This is little more than your address or this site's name, which is guessed first. Add a few unrelated words.";
      }
      const question = { password: normal.slice(0, JUDGED_LENGTH), ownWords: [...words, ...USUAL_WORDS] };
      const { score, warning } = await semaphore.run(() => judge(question));
      if (score >= LEAST_SCORE) return null;
      return `${warning ? `${warning} ` : "This password is easy to guess. "}Add a few unrelated words.`;
    },
    async close() {
      await worker?.terminate();
    },
  };
}

/** What is left of a password without these words, the longest first. */
function without(words: readonly string[], password: string): string {
  const longestFirst = [...words].sort((one, other) => other.length - one.length);
  return longestFirst.reduce((rest, word) => rest.replaceAll(word.toLowerCase(), ""), password.toLowerCase());
}
