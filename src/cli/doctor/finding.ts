/** The result of one check; `words` says what was checked, and what to do about it. */
export type Finding = { state: "ok" | "warn" | "fail"; words: string };

export const ok = (words: string): Finding => ({ state: "ok", words });
export const warn = (words: string): Finding => ({ state: "warn", words });
export const fail = (words: string): Finding => ({ state: "fail", words });

/** What an error says, for a finding. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
