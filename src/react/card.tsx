import { type ReactNode, useId, useState } from "react";
import { useTrue } from "./late.ts";

type CardProps = {
  /** Also the in-page address that a mail can point at. */
  id: string;
  title: string;
  /** One sentence of what it is for. */
  words: ReactNode;
  children: ReactNode;
};

export function Card({ id, title, words, children }: CardProps) {
  const heading = useId();
  return (
    <section className="lk-card" id={id} aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      <p className="lk-words">{words}</p>
      {children}
    </section>
  );
}

/** Says what an action did, to who looks and to who listens. */
export function useStatus(): [ReactNode, (sentence: string) => void] {
  const [sentence, setSentence] = useState("");
  return [
    <p key="status" className="lk-status" role="status">
      {sentence}
    </p>,
    setSentence,
  ];
}

/** A place-holder of the real height, and only where waiting takes long enough to notice. */
export function Waiting({ rows = 1 }: { rows?: number }) {
  const isLate = useTrue(200);
  return (
    <div className="lk-waiting" aria-busy="true" data-shown={isLate || undefined}>
      {["first", "second", "third"].slice(0, rows).map((row) => (
        <div key={row} className="lk-bone" />
      ))}
    </div>
  );
}

/** The last answer is kept and shown; this says that it may be old. */
export function Stale({ error, isFetching }: { error: unknown; isFetching: boolean }) {
  if (!error) return null;
  return (
    <p className="lk-stale" role="status">
      {navigator.onLine ? "No answer from the server." : "You are offline."} This may be out of date.
      {isFetching ? " Trying again." : ""}
    </p>
  );
}
