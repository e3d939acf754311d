import type { BreachedPasswords } from "./breached-passwords.ts";
import { holdStrengthThread } from "./password-strength-thread.ts";

/** On zxcvbn's scale of 0 to 4. Below, a patient attacker with a stolen database finds the password. */
const LEAST_SCORE = 3;
/**
 * How much of a password the estimator gets, in UTF-16 units: its time grows with the square of the length,
 * and this much takes 20 ms even for a hostile password. The rest can only make a password stronger.
 */
const JUDGED_LENGTH = 28;
/** No real address has more parts; each one slows every look-up in the dictionaries a little. */
const MOST_OWN_WORDS = 40;
/** In code points; far longer than what people or password managers choose. Bounds the cost of hashing. */
const LONGEST = 1_024;
/** How many UTF-16 units must be left of a password without the words that an attacker tries first. */
const LEAST_REST = 8;
const LEAKED = "This password was leaked before, and guessers try such passwords first. Choose another one.";
/** What attackers try first on any site. */
const USUAL_WORDS = ["password", "sign-in", "login"];

export type PasswordStrength = ReturnType<typeof createPasswordStrength>;

/**
 * Judges new passwords by their length in code points and by how guessable they are, without composition
 * rules (NIST SP 800-63B-4, 3.1.1.2). Words of the product, the site (`names`) and the account don't count
 * (ASVS 6.2.11), and leaked passwords (`breached`) are refused (6.2.12).
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

/** Removes these words from a password, the longest first. */
function without(words: readonly string[], password: string): string {
  const longestFirst = [...words].sort((one, other) => other.length - one.length);
  return longestFirst.reduce((rest, word) => rest.replaceAll(word.toLowerCase(), ""), password.toLowerCase());
}
