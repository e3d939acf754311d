import type { BreachedPasswords } from "./breached-passwords.ts";
import { holdStrengthThread } from "./password-strength-thread.ts";

/** Of zxcvbn's 0 to 4: below that, a patient guesser with a stolen database finds it. */
const LEAST_SCORE = 3;
/**
 * What the estimator judges in 20 ms however hostile it is, in UTF-16 units: its time grows with the square.
 * What follows can only make a password stronger.
 */
const JUDGED_LENGTH = 28;
/** No person's address has more; each one slows every look-up in the dictionaries a little. */
const MOST_OWN_WORDS = 40;
/** Far beyond any person's or password manager's; bounds what is hashed. */
const LONGEST = 1_024;
/** What must be left of a password without the words that any guesser of this account tries first. */
const LEAST_REST = 8;
const LEAKED = "This password was leaked before, and guessers try such passwords first. Choose another one.";
/** What guessers begin with, whatever the site. */
const USUAL_WORDS = ["password", "sign-in", "login"];

export type PasswordStrength = ReturnType<typeof createPasswordStrength>;

/**
 * Judges new passwords: length in code points, and how guessable they are, without rules of
 * composition (NIST SP 800-63B-4, 3.1.1.2); words of the product, the site (`names`) and the account itself
 * count for nothing (ASVS 6.2.11), and passwords that were leaked (`breached`) won't do (6.2.12).
 */
export function createPasswordStrength(
  minLength: number,
  names: readonly string[],
  breached: BreachedPasswords | null,
) {
  const siteWords = ["latchkey", ...names, ...names.flatMap((name) => name.split(/[^\p{L}\p{N}-]+/u))];
  const thread = holdStrengthThread();
  return {
    /** Null if the password is strong enough, else one sentence that says why not. */
    async whyWeak(password: string, ownWords: string[]): Promise<string | null> {
      const normal = password.normalize("NFC");
      const length = [...normal].length;
      if (length < minLength) return `Use at least ${minLength} characters.`;
      if (length > LONGEST) return `Use at most ${LONGEST} characters.`;
      if (await breached?.has(normal)) return LEAKED;
      const words = [...siteWords, ...ownWords.slice(0, MOST_OWN_WORDS)].filter((word) => word.length > 2);
      if (without(USUAL_WORDS, normal).length < LEAST_REST)
        return 'A password that is little more than a word like "password" is guessed first. Add a few unrelated words.';
      if (without([...words, ...USUAL_WORDS], normal).length < LEAST_REST) {
        return "This is little more than your address or this site's name, which is guessed first. Add a few unrelated words.";
      }
      const question = { password: normal.slice(0, JUDGED_LENGTH), ownWords: [...words, ...USUAL_WORDS] };
      const { score, warning } = await thread.judge(question);
      if (score >= LEAST_SCORE) return null;
      return `${warning ? `${warning} ` : "This password is easy to guess. "}Add a few unrelated words.`;
    },
    async close(): Promise<void> {
      await Promise.all([thread.release(), breached?.close()]);
    },
  };
}

/** What is left of a password without these words, the longest first. */
function without(words: readonly string[], password: string): string {
  const longestFirst = [...words].sort((one, other) => other.length - one.length);
  return longestFirst.reduce((rest, word) => rest.replaceAll(word.toLowerCase(), ""), password.toLowerCase());
}
