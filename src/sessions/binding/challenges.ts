import type { SessionTable } from "../../database/schema.ts";
import { makeSecret } from "../token.ts";
import { type BindingSettings, challengeUntil } from "./bindable.ts";

type Challenges = Pick<
  SessionTable,
  "challenge" | "challenge_until" | "former_challenge" | "former_challenge_until"
>;

/** Whether a browser may answer this challenge: one of the last two, neither used nor over. */
export function isOpen(row: Challenges, challenge: string, now: number): boolean {
  return openOnes(row, now).some(({ text }) => text === challenge);
}

/** The challenge that a browser can be given as it is; null where it needs a new one. */
export function freshChallenge(row: Challenges, settings: BindingSettings, now: number): string | null {
  const { challenge, challenge_until: until } = row;
  const halfOfItsLife = (challengeUntil(settings, now) - now) / 2;
  return (until ?? 0) - now > halfOfItsLife ? challenge : null;
}

/**
 * The challenges of a session once `used` is. A new one is made only where there is no fresh one left: anybody who
 * knows a session's id may ask for challenges, and must neither push out the one that its browser is signing nor
 * cause a write each time.
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
