export type Hear = (accountId: string | "everyone") => void;

/** Who wants to hear, inside this process, that the sessions of an account have changed. */
export function createAnnouncements() {
  const listeners = new Set<Hear>();
  return {
    tell(accountId: string | "everyone"): void {
      for (const hear of listeners) hear(accountId);
    },
    listen(hear: Hear): () => void {
      listeners.add(hear);
      return () => {
        listeners.delete(hear);
      };
    },
    get isHeard(): boolean {
      return listeners.size > 0;
    },
  };
}
