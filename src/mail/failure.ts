type Facts = Record<"code" | "originalCode" | "responseCode" | "command" | "syscall", unknown>;

/** What of an error may go into the log: never an address, never an email's words, never a server's answer that quotes them. */
export function harmless(error: unknown): Partial<Facts> {
  const { code, originalCode, responseCode, command, syscall } = factsOf(error);
  return { code, originalCode, responseCode, command, syscall };
}

/** The same in a few words, as `doctor` says why emails wait. */
export function codesOf(error: unknown): string {
  const codes = Object.values(harmless(error)).filter((fact) => ["string", "number"].includes(typeof fact));
  return codes.join(" ") || "unknown";
}

/** The mail server would take emails only unencrypted. The message is for the operator: it says what to set. */
export class NoStartTls extends Error {
  override name = "NoStartTls";
  readonly code = "ETLS";

  constructor(cause: unknown) {
    super(
      "The mail server offers no encryption (STARTTLS), so it gets no emails. Give SMTP_URL a server that does, or smtps://; where unencrypted emails are all right, end SMTP_URL with ?tls=optional.",
      { cause },
    );
  }
}

/** Nothing is wrong with the email: the mail server wants other settings than SMTP_URL has. */
export function waitsForOperator(error: unknown): boolean {
  return error instanceof NoStartTls || factsOf(error).code === "EAUTH";
}

/** Another try won't help: a 5xx answer of the mail server, or an address that can't be emailed to. */
export function isPermanent(error: unknown): boolean {
  const { code, responseCode } = factsOf(error);
  if (waitsForOperator(error)) return false;
  if (typeof responseCode === "number") return responseCode >= 500 && responseCode < 600;
  return code === "EENVELOPE";
}

function factsOf(error: unknown): Partial<Facts> {
  return typeof error === "object" && error !== null ? error : {};
}
