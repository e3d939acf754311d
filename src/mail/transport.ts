import type { Sender } from "../options/kinds.ts";
import type { Message } from "./layout.ts";

/**
 * An email to be sent. `at` and `id` stay the same in all tries, so that mail programs can recognize
 * duplicates.
 */
export type Mail = { to: string; message: Message; at: number; id: string };

/** A mail server or a folder that takes emails. */
export type MailTransport = {
  /**
   * Resolves once the email is handed over. A check ends sooner, since someone is waiting.
   * @throws if it fails.
   */
  send(mail: Mail, as?: { isCheck: boolean }): Promise<void>;
  /** @throws if emails would not be accepted. */
  verify(): Promise<void>;
  /** Closes its connections; sends that are under way fail. */
  close(): void;
};

/** The email in nodemailer's terms, the same for every transport. */
export function compile(from: Sender, { to, message, at, id }: Mail) {
  const { subject, text, html } = message;
  return {
    // Already parsed: from a string, nodemailer would turn a name with a quote or a bracket into another
    // address.
    from,
    // An object, not a header's text, so that nothing in the address can add another recipient.
    to: { name: "", address: to },
    subject,
    text,
    html,
    date: new Date(at),
    messageId: id,
    textEncoding: "quoted-printable" as const,
    headers: { "Auto-Submitted": "auto-generated" },
  };
}
