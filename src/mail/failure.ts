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

/** Nothing is wrong with the email: the mail server refuses this sender, or wants other settings than SMTP_URL and MAIL_FROM have. */
export function waitsForOperator(error: unknown): boolean {
  if (error instanceof NoStartTls || factsOf(error).code === "EAUTH") return true;
  return isForGood(error) && !isAboutEmail(error);
}

/** Another try won't help: the mail server refuses the recipient or the email for good, or the address can't be emailed to. */
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
 * Before the recipient is named, the mail server has judged the sender only. Many, Postfix among them, wait until
 * then with saying so: by RFC 3463, 5.7.x is their policy ("Relay access denied"), not a mailbox that there isn't.
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
