import { Worker } from "node:worker_threads";
import { Busy } from "../refusals.ts";
import type { Judgement, Question } from "./password-strength-worker.ts";

/** Of zxcvbn's 0 to 4: below, a patient guesser of a stolen database gets there. */
const LEAST_SCORE = 3;
/** A guessable start makes no long password weak; judging more would only cost time. */
const JUDGED_CHARACTERS = 100;
/** Far beyond any person's or password manager's; bounds what is hashed. */
const LONGEST = 1_024;
const PATIENCE = 10_000;
/** What must be left of a password without the words that any guesser of this account tries first. */
const LEAST_REST = 8;
const PRODUCT_WORDS = ["latchkey", "password", "sign-in", "login"];

export type PasswordStrength = {
  /** Null where the password will do, else one sentence that says why not. */
  whyWeak(password: string, ownWords: string[]): Promise<string | null>;
  close(): Promise<void>;
};

/**
 * Judges new passwords: length in code points, and how guessable they are, without rules of
 * composition (NIST SP 800-63B-4, 3.1.1.2); words of the product, the site (`host`) and the account itself
 * count for nothing (ASVS 6.2.11). In a thread of its own, since a hostile password can keep
 * the estimate busy for half a second.
 */
export function createPasswordStrength(minLength: number, host: string): PasswordStrength {
  const siteWords = [...PRODUCT_WORDS, host, ...host.split(".")];
  let worker: Worker | undefined;
  let lastId = 0;
  const waiting = new Map<
    number,
    { resolve: (judgement: Judgement) => void; reject: (error: Error) => void }
  >();

  function start(): Worker {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const fresh = new Worker(new URL(`./password-strength-worker.${extension}`, import.meta.url));
    fresh.unref();
    fresh.on("message", (judgement: Judgement) => waiting.get(judgement.id)?.resolve(judgement));
    fresh.on("error", (error: Error) => {
      worker = undefined;
      for (const one of waiting.values()) one.reject(error);
    });
    return fresh;
  }

  async function judge(password: string, ownWords: string[]): Promise<Judgement> {
    worker ??= start();
    lastId += 1;
    const question: Question = { id: lastId, password, ownWords };
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Judgement>((resolve, reject) => {
        waiting.set(question.id, { resolve, reject });
        timer = setTimeout(() => reject(new Busy("Too many passwords are being judged.")), PATIENCE);
        worker?.postMessage(question);
      });
    } finally {
      clearTimeout(timer);
      waiting.delete(question.id);
    }
  }

  return {
    async whyWeak(password, ownWords) {
      const normal = password.normalize("NFC");
      const length = [...normal].length;
      if (length < minLength) return `Use at least ${minLength} characters.`;
      if (length > LONGEST) return `Use at most ${LONGEST} characters.`;
      const words = [...siteWords, ...ownWords].filter((word) => word.length > 2);
      if (without(words, normal).length < LEAST_REST) {
        return "This is little more than your address or this site's name, which is guessed first. Add a few unrelated words.";
      }
      const { score, warning } = await judge([...normal].slice(0, JUDGED_CHARACTERS).join(""), words);
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
