type Facts = Record<"code" | "originalCode" | "responseCode" | "command" | "syscall", unknown>;

/** What of an error may go into the log: never an address, never a mail's words, never a server's answer that quotes them. */
export function harmless(error: unknown): Partial<Facts> {
  const { code, originalCode, responseCode, command, syscall } = factsOf(error);
  return { code, originalCode, responseCode, command, syscall };
}

/** Another try won't help: a 5xx answer of the mail server, or an address that can't be mailed to. */
export function isPermanent(error: unknown): boolean {
  const { code, responseCode } = factsOf(error);
  if (typeof responseCode === "number") return responseCode >= 500 && responseCode < 600;
  return code === "EENVELOPE";
}

function factsOf(error: unknown): Partial<Facts> {
  return typeof error === "object" && error !== null ? error : {};
}
