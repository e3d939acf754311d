import type { Sender } from "../options/kinds.ts";
import type { Message } from "./layout.ts";

/** An email on its way. `at` and `id` stay the same over all tries, so that one that arrives twice is known as one. */
export type Mail = { to: string; message: Message; at: number; id: string };

/** Where emails are handed over: a mail server, or a folder. */
export type MailTransport = {
  /** Resolves when the email is gone. A check is given up after minutes: someone waits for it. @throws where it isn't. */
  send(mail: Mail, as?: { isCheck: boolean }): Promise<void>;
  /** @throws where emails would not be taken. */
  verify(): Promise<void>;
  /** Lets go of connections; what is under way fails. */
  close(): void;
};

/** The email in nodemailer's terms, the same for every transport. */
export function compile(from: Sender, { to, message, at, id }: Mail) {
  const { subject, text, html } = message;
  return {
    // Read already: of a name with a quote or a bracket nodemailer would make another address.
    from,
    // An address, not a header's text: nothing in it can add another recipient.
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
