/** The most log lines of one kind a minute, so that a flood of requests can't fill the disk. */
const MOST_LINES = 100;
const MINUTE = 60_000;

/** Counts the log lines of one kind; `tell` logs how many were left out. */
export function createLinesAMinute(tell: (facts: { leftOut: number }) => void) {
  let minute = { startedAt: 0, lines: 0, leftOut: 0 };

  /** Once the minute is over, logs how many lines it left out. */
  function tellLeftOut(now: number): void {
    // A clock set back also starts a new minute.
    if (now >= minute.startedAt && now < minute.startedAt + MINUTE) return;
    if (minute.leftOut > 0) tell({ leftOut: minute.leftOut });
    minute = { startedAt: now, lines: 0, leftOut: 0 };
  }

  return {
    /** Whether another line may be logged; if not, counts it as left out. */
    takes(now: number): boolean {
      tellLeftOut(now);
      const isTaken = minute.lines < MOST_LINES;
      minute[isTaken ? "lines" : "leftOut"] += 1;
      return isTaken;
    },
    tellLeftOut,
  };
}
