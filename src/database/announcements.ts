export type AnnouncementListener = (accountId: string | "everyone") => void;

/** Tells listeners inside this process that the sessions of an account have changed. */
export function createAnnouncements() {
  const listeners = new Set<AnnouncementListener>();
  return {
    tell(accountId: string | "everyone"): void {
      for (const hear of listeners) hear(accountId);
    },
    listen(hear: AnnouncementListener): () => void {
      listeners.add(hear);
      return () => {
        listeners.delete(hear);
      };
    },
    get hasListeners(): boolean {
      return listeners.size > 0;
    },
  };
}
