export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A clock that runs like the real one, and can be put forward or back, or stopped. */
export class Clock {
  #offset = 0;
  #stoppedAt: number | undefined;

  readonly now = (): number => this.#stoppedAt ?? Date.now() + this.#offset;

  advance(ms: number): void {
    this.#offset += ms;
  }

  /** Moves on to the middle of a period, so that nothing that takes some seconds crosses its end. */
  toMiddleOf(period: number): void {
    const past = this.now() % period;
    this.advance((past < period / 2 ? 0.5 : 1.5) * period - past);
  }

  /** Stops at this very moment, to the millisecond, until it is set again. */
  stopAt(at: number): void {
    this.#stoppedAt = at;
  }

  /** Goes on from this moment. */
  setTo(at: number | string): void {
    this.#stoppedAt = undefined;
    this.#offset = (typeof at === "number" ? at : Date.parse(at)) - Date.now();
  }
}
