import type { Client } from "./client.ts";

/** Lets nobody go on before so many have come. */
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

/** All at once: each browser's request is with its server before any of them goes on. */
export async function together<T>(
  clients: Client[],
  act: (client: Client, number: number) => Promise<T>,
): Promise<T[]> {
  const barrier = new Barrier(clients.length);
  for (const client of clients) client.waitsAt = barrier;
  try {
    return await Promise.all(clients.map(act));
  } finally {
    for (const client of clients) client.waitsAt = undefined;
  }
}
