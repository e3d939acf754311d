import type { SessionTable } from "../../database/schema.ts";
import { makeSecret } from "../token.ts";
import { type BindingSettings, challengeUntil } from "./bindable.ts";

type Challenges = Pick<
  SessionTable,
  "challenge" | "challenge_until" | "former_challenge" | "former_challenge_until"
>;

/** Whether a browser may answer this challenge: it is one of the last two, and neither used nor expired. */
export function isOpen(row: Challenges, challenge: string, now: number): boolean {
  return openOnes(row, now).some(({ text }) => text === challenge);
}

/** The current challenge, if more than half of its lifetime is left; null if the browser needs a new one. */
export function freshChallenge(row: Challenges, settings: BindingSettings, now: number): string | null {
  const { challenge, challenge_until: until } = row;
  const halfOfItsLife = (challengeUntil(settings, now) - now) / 2;
  return (until ?? 0) - now > halfOfItsLife ? challenge : null;
}

/**
 * A session's challenges after `used` has been used up. A new one is made only if no fresh one is left:
 * anybody who knows a session's id can ask for challenges, and must neither invalidate the one that its
 * browser is signing nor cause a write each time.
 */
export function nextChallenges(
  row: Challenges,
  used: string | null,
  settings: BindingSettings,
  now: number,
): Challenges & { challenge: string } {
  const open = openOnes(row, now).filter(({ text }) => text !== used);
  const fresh = freshChallenge(row, settings, now);
  const [first, second] = open;
  const isKept = fresh !== null && fresh === first?.text;
  const former = isKept ? second : first;
  return {
    challenge: isKept ? fresh : makeSecret(),
    challenge_until: isKept ? first.until : challengeUntil(settings, now),
    former_challenge: former?.text ?? null,
    former_challenge_until: former?.until ?? null,
  };
}

function openOnes(row: Challenges, now: number) {
  const both = [
    { text: row.challenge, until: row.challenge_until },
    { text: row.former_challenge, until: row.former_challenge_until },
  ];
  return both.filter(({ until }) => now < (until ?? 0));
}
