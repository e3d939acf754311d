type Facts = Record<"code" | "originalCode" | "responseCode" | "command" | "syscall", unknown>;

/**
 * The parts of an error that may be logged: no address, no text of an email, no answer of a server that
 * quotes them.
 */
export function harmless(error: unknown): Partial<Facts> {
  const { code, originalCode, responseCode, command, syscall } = factsOf(error);
  return { code, originalCode, responseCode, command, syscall };
}

/** The same as one short string, with which `doctor` says why emails are waiting. */
export function codesOf(error: unknown): string {
  const codes = Object.values(harmless(error)).filter((fact) => ["string", "number"].includes(typeof fact));
  return codes.join(" ") || "unknown";
}

/**
 * The mail server accepts emails only unencrypted. The message tells the operator which setting to change.
 */
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

/**
 * Nothing is wrong with the email: the server refuses this sender, or SMTP_URL or MAIL_FROM must be changed.
 */
export function waitsForOperator(error: unknown): boolean {
  if (error instanceof NoStartTls || factsOf(error).code === "EAUTH") return true;
  return isForGood(error) && !isAboutEmail(error);
}

/**
 * Another try won't help: the server refuses the recipient or the email for good, or the address is unusable.
 */
export function isPermanent(error: unknown): boolean {
  if (waitsForOperator(error)) return false;
  const { code, responseCode } = factsOf(error);
  return typeof responseCode === "number" ? isForGood(error) : code === "EENVELOPE";
}

/** A 5xx answer of the mail server. */
function isForGood(error: unknown): boolean {
  const { responseCode } = factsOf(error);
  return typeof responseCode === "number" && responseCode >= 500 && responseCode < 600;
}

/**
 * A refusal before the recipient is named concerns the sender. Many servers, such as Postfix, report such a
 * refusal only at RCPT TO: by RFC 3463, 5.7.x then means their policy ("Relay access denied"), not a missing
 * mailbox.
 */
function isAboutEmail(error: unknown): boolean {
  const { command, responseCode, response } = factsOf(error);
  if (responseCode === AUTHENTICATION_REQUIRED) return false;
  return command === "DATA" || (command === "RCPT TO" && !/^5\d\d[ -]5\.7\./.test(String(response)));
}

const AUTHENTICATION_REQUIRED = 530;

function factsOf(error: unknown): Partial<Facts & { response: unknown }> {
  return typeof error === "object" && error !== null ? error : {};
}
