import { type MouseEvent, type ReactNode, useState } from "react";
import { serverTime } from "../../client/clock.ts";
import { ownLanguage } from "../../client/times.ts";
import { useNow } from "../queries.ts";
import { staleNotice } from "../words.ts";
import { REST, useFocusAlong } from "./focus.ts";
import { useInBrowser } from "./in-browser.ts";
import { useElapsed, useOffline } from "./late.ts";

type CardProps = {
  /** Also the fragment that links can use; with `-title`, a link moves the focus to the heading too. */
  id: string;
  title: string;
  /** One sentence that says what the card is for. */
  words: ReactNode;
  /** Cleared when the person clicks the next button in the card. */
  status?: Status;
  /** The step that is open in the card; the focus follows it. */
  step?: string;
  children: ReactNode;
};

export function Card({ id, title, words, status, step = REST, children }: CardProps) {
  const heading = `${id}-title`;
  const card = useFocusAlong(step);
  const language = useInBrowser(ownLanguage, undefined);
  const forget = ({ target }: MouseEvent) => {
    if (target instanceof Element && target.closest("button")) status?.say("");
  };
  return (
    <section
      {...language}
      ref={card}
      className="lk-card"
      id={id}
      aria-labelledby={heading}
      onClickCapture={forget}
    >
      <h2 id={heading} tabIndex={-1}>
        {title}
      </h2>
      <p className="lk-words">{words}</p>
      {children}
    </section>
  );
}

export type Status = {
  /** The element with the message; place it where the person is looking. */
  line: ReactNode;
  say: (sentence: ReactNode) => void;
  /** Like `say`, for errors. */
  warn: (sentence: string) => void;
};

/** A message about the result of an action, shown at once. */
export type Answer = { sentence: string; isTrouble: boolean };

const NOTHING: Answer = { sentence: "", isTrouble: false };

type Said = Omit<Answer, "sentence"> & { sentence: ReactNode };

/** Whether it is time for the message that a page begins with: screen readers announce only what comes later. */
export const useIsAnnounced = () => useElapsed(200);

/** Says what an action did, on the screen and to screen readers. */
export function useStatus(first: Answer = NOTHING): Status {
  const [said, setAnswer] = useState<Said | null>(null);
  const isAnnounced = useIsAnnounced();
  const { sentence, isTrouble } = said ?? (isAnnounced ? first : NOTHING);
  return {
    line: (
      <p key="status" className={isTrouble ? "lk-status lk-problem" : "lk-status"} role="status">
        {sentence}
      </p>
    ),
    say: (words) => setAnswer({ sentence: words, isTrouble: false }),
    warn: (words) => setAnswer({ sentence: words, isTrouble: true }),
  };
}

/** Copies to the clipboard, and says so; `instead` says what to do if copying isn't allowed. */
export async function copy(value: string, { say, warn }: Status, instead: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(value);
    say("Copied.");
  } catch {
    warn(`Copying is not allowed here. ${instead}`);
  }
}

/** The kinds of placeholder: for a row of a list, a line of text, or a button. */
type Bone = "row" | "line" | "button";

/** A placeholder as high as the real content, visible only after a noticeable wait. */
export function Waiting({ bones }: { bones: readonly Bone[] }) {
  const isLate = useElapsed(200);
  return (
    <div className="lk-waiting" aria-busy="true" data-shown={isLate || undefined}>
      {bones.map((bone, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bones never change places.
        <div key={place} className={`lk-bone lk-bone-${bone}`} />
      ))}
    </div>
  );
}

type Reading = { error: unknown; failureReason: unknown; dataUpdatedAt: number };

/** Says how old the shown data is if it can't be updated. One card on a page says so for all. */
export function Stale({ reading }: { reading: Reading }) {
  const now = useNow();
  const isOffline = useOffline();
  const readAt = reading.dataUpdatedAt === 0 ? null : serverTime(reading.dataUpdatedAt);
  const words = staleNotice({ error: reading.error ?? reading.failureReason, isOffline, readAt }, now);
  if (words === null) return null;
  return (
    <p className="lk-stale" role="status">
      {words}
    </p>
  );
}
