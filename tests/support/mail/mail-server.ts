import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

export type Received = { to: string; subject: string; text: string; id: string };

/** "stalls": it accepts connections and says nothing. "busy": it refuses each email for now. */
type Mood = "takes" | "stalls" | "busy";

/** What it refuses, and with which answer: what connects, MAIL FROM, RCPT TO, or the email itself. */
type Refuses = { at: "connection" | "sender" | "recipient" | "email"; code: number; words: string };

/** A mail server on this machine, whose behaviour can be changed. */
export class MailServer {
  mood: Mood;
  refuses: Refuses | null = null;
  readonly received: Received[] = [];
  /** How many connections were opened so far. */
  connections = 0;
  /** Awaited before an email is accepted. */
  hold: (email: Received) => Promise<void> = async () => {};
  readonly #server: SMTPServer;

  static async start({ port = 0, mood = "takes" }: { port?: number; mood?: Mood } = {}): Promise<MailServer> {
    const server = new MailServer(mood);
    server.#server.listen(port, "127.0.0.1");
    await once(server.#server.server, "listening");
    return server;
  }

  private constructor(mood: Mood) {
    this.mood = mood;
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      closeTimeout: 100,
      onConnect: (_session, done) => {
        this.connections += 1;
        if (this.mood !== "stalls") done(this.#refusalAt("connection"));
      },
      onMailFrom: (_address, _session, done) => done(this.#refusalAt("sender")),
      onRcptTo: (_address, _session, done) => done(this.#refusalAt("recipient")),
      onData: (stream, session, done) => {
        const to = session.envelope.rcptTo[0]?.address ?? "";
        this.#take(stream, to).then(() => done(), done);
      },
    });
    this.#server.on("error", () => {});
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`;
  }

  to(address: string): Received[] {
    return this.received.filter(({ to }) => to === address);
  }

  async #take(stream: Parameters<typeof simpleParser>[0], to: string): Promise<void> {
    const { subject = "", text = "", messageId: id = "" } = await simpleParser(stream);
    if (this.mood === "busy") throw Object.assign(new Error("Later."), { responseCode: 451 });
    const refusal = this.#refusalAt("email");
    if (refusal) throw refusal;
    const email = { to, subject, text, id };
    await this.hold(email);
    this.received.push(email);
  }

  #refusalAt(step: Refuses["at"]): Error | null {
    if (this.refuses?.at !== step) return null;
    return Object.assign(new Error(this.refuses.words), { responseCode: this.refuses.code });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
