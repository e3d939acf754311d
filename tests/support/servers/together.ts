import type { Client } from "../requests/client.ts";
import { Barrier } from "./barrier.ts";

/** All at once: each browser's request is at its server before any of them goes on. */
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
