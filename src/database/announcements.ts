export type AnnouncementListener = (accountId: string | "everyone") => void;

/** Tells listeners inside this process that the sessions of an account have changed. */
export function createAnnouncements() {
  const listeners = new Set<AnnouncementListener>();
  return {
    tell(accountId: string | "everyone"): void {
      for (const listener of listeners) listener(accountId);
    },
    /** Returns a function that stops it. */
    listen(listener: AnnouncementListener): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get hasListeners(): boolean {
      return listeners.size > 0;
    },
  };
}
