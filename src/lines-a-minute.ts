/** So many lines of one sort are logged a minute at most: no flood of requests fills a disk. */
const MOST_LINES = 100;
const MINUTE = 60_000;

/** Counts the lines of one sort; `tell` logs how many were left out. */
export function createLinesAMinute(tell: (facts: { leftOut: number }) => void) {
  let minute = { startedAt: 0, lines: 0, leftOut: 0 };

  /** Logs how many lines of a minute that is over were left out. */
  function tellLeftOut(now: number): void {
    // A clock that steps back begins a new minute, too.
    if (now >= minute.startedAt && now < minute.startedAt + MINUTE) return;
    if (minute.leftOut > 0) tell({ leftOut: minute.leftOut });
    minute = { startedAt: now, lines: 0, leftOut: 0 };
  }

  return {
    /** Whether the log takes another line; one that it doesn't take is counted. */
    takes(now: number): boolean {
      tellLeftOut(now);
      const isTaken = minute.lines < MOST_LINES;
      minute[isTaken ? "lines" : "leftOut"] += 1;
      return isTaken;
    },
    tellLeftOut,
  };
}
