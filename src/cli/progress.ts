import { say } from "./terminal.ts";

const BAR_WIDTH = 30;
const REDRAW_INTERVAL = 100; // ms
const LINE_EVERY = 10_000;

/** Shows the progress of long work on standard error: a bar on a terminal, elsewhere a line now and then. */
export type Progress = {
  /** `share` is from 0 to 1, or null if the total isn't known; `done` counts finished items. */
  show(share: number | null, done: number): void;
  /** Removes the bar, so that other output can be read. */
  clear(): void;
};

export function createProgress(noun: string): Progress {
  return process.stderr.isTTY ? bar(noun) : lines(noun);
}

function bar(noun: string): Progress {
  let drawnAt = 0;
  return {
    show(share, done) {
      if (Date.now() - drawnAt < REDRAW_INTERVAL) return;
      drawnAt = Date.now();
      const drawn = share === null ? "" : `${drawBar(share)} ${percentOf(share).padStart(3)} %  `;
      process.stderr.write(`\r${drawn}${done.toLocaleString("en")} ${noun}`);
    },
    clear() {
      if (drawnAt > 0) process.stderr.write("\r\x1b[K");
      drawnAt = 0;
    },
  };
}

function lines(noun: string): Progress {
  let told = 0;
  return {
    show(share, done) {
      if (done < told + LINE_EVERY) return;
      told = done - (done % LINE_EVERY);
      say(`${done.toLocaleString("en")} ${noun}${share === null ? "" : ` (${percentOf(share)} %)`}`);
    },
    clear() {},
  };
}

function drawBar(share: number): string {
  const filled = Math.round(Math.min(1, share) * BAR_WIDTH);
  return "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
}

function percentOf(share: number): string {
  return `${Math.floor(Math.min(1, share) * 100)}`;
}
