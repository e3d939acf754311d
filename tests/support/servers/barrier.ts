/** Lets nobody go on before this many have arrived. */
export class Barrier {
  #missing: number;
  readonly #open: Promise<void>;
  #go: () => void = () => {};

  constructor(count: number) {
    this.#missing = count;
    this.#open = new Promise((resolve) => {
      this.#go = resolve;
    });
  }

  pass(): Promise<void> {
    this.#missing -= 1;
    if (this.#missing <= 0) this.#go();
    return this.#open;
  }
}
