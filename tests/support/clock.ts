export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A clock that runs like the real one and can be put forward, or back. */
export class Clock {
  #offset = 0;

  readonly now = (): number => Date.now() + this.#offset;

  advance(ms: number): void {
    this.#offset += ms;
  }

  /** Goes on to the middle of a period, so that nothing which takes some seconds crosses its end. */
  toMiddleOf(period: number): void {
    const past = this.now() % period;
    this.advance((past < period / 2 ? 0.5 : 1.5) * period - past);
  }

  /** Stands at this very moment until it is told otherwise; the real seconds that a test takes don't count. */
  setTo(at: number | string): void {
    this.#offset = (typeof at === "number" ? at : Date.parse(at)) - Date.now();
  }
}
