import { Socket } from "node:net";
import { isThisMachine, type Sender } from "../options/kinds.ts";
import { NoStartTls } from "./failure.ts";
import { compile, type MailTransport } from "./transport.ts";

const MOST_CONNECTIONS = 3;
const CONNECT_TIMEOUT = 20_000;
const GREETING_TIMEOUT = 30_000;
/**
 * The wait that RFC 5321 demands after an email: a client that gives up earlier may send an accepted email
 * twice.
 */
const SOCKET_TIMEOUT = 600_000;
/**
 * How long one email may take, even if a server keeps sending parts of an answer that never ends. It is the
 * sum of the waits that RFC 5321 demands for one email (5 minutes each for the greeting, the sender and the
 * recipient, 2 before the text, 3 in it, 10 after it), so that no try ends while the server may still accept
 * the email.
 */
const EMAIL_TIMEOUT = 1_800_000;
/**
 * How long a check may take in all, since someone at a terminal waits. Its email may arrive even after that.
 */
const CHECK_TIMEOUT = 120_000;
/** How long idle connections stay open; after minutes, a firewall may have silently dropped them. */
const IDLE_TIMEOUT = 30_000;

/**
 * Hands emails to the server of an `smtp://` or `smtps://` address, over a few connections that stay open for
 * a while. Emails carry links that open accounts, so they cross a network only encrypted, unless the operator
 * allows otherwise.
 */
export function smtpTransport(smtpUrl: string, from: Sender): MailTransport {
  const requireTLS = needsTls(new URL(smtpUrl));
  const explain = (error: unknown): never => {
    throw requireTLS && wasRefusedTls(error) ? new NoStartTls(error) : error;
  };
  const server = {
    url: withOwnOptionsOnly(smtpUrl),
    requireTLS,
    connectionTimeout: CONNECT_TIMEOUT,
    greetingTimeout: GREETING_TIMEOUT,
    socketTimeout: SOCKET_TIMEOUT,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const open = async () => {
    const { createTransport } = await import("nodemailer");
    return createTransport({ ...server, pool: true, maxConnections: MOST_CONNECTIONS, maxRequeues: 0 });
  };
  let opened: ReturnType<typeof open> | undefined;
  let underWay = 0;
  let idle: NodeJS.Timeout | undefined;
  const close = (force: boolean) => {
    clearTimeout(idle);
    void opened?.then((transporter) => transporter.close({ force }));
    opened = undefined;
  };
  const use = async (work: (transporter: Awaited<ReturnType<typeof open>>) => Promise<unknown>) => {
    clearTimeout(idle);
    opened ??= open();
    underWay += 1;
    try {
      await work(await opened).catch(explain);
    } finally {
      underWay -= 1;
      if (underWay === 0) idle = setTimeout(close, IDLE_TIMEOUT, false).unref();
    }
  };
  return {
    async send(mail, as) {
      const signal = AbortSignal.timeout(as?.isCheck ? CHECK_TIMEOUT : EMAIL_TIMEOUT);
      const email = { ...compile(from, mail), signal };
      await orTimeout(
        signal,
        use((transporter) => transporter.sendMail(email)),
      );
    },
    async verify() {
      const { createTransport } = await import("nodemailer");
      const signal = AbortSignal.timeout(CHECK_TIMEOUT);
      // If nodemailer opened the socket, an unresponsive server could keep the connection, and the process,
      // open for ever.
      const socket = new Socket({ signal }).on("error", () => {});
      await orTimeout(
        signal,
        createTransport({ ...server, socket })
          .verify()
          .catch(explain),
      );
    },
    close: () => close(true),
  };
}

async function orTimeout(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw signal.aborted
      ? Object.assign(new Error("Timeout", { cause: error }), { code: "ETIMEDOUT" })
      : error;
  }
}

/** Whether STARTTLS must succeed: always, except on this machine or if the address says `?tls=optional`. */
export function needsTls({ protocol, hostname, searchParams }: URL): boolean {
  return protocol === "smtp:" && !isThisMachine(hostname) && searchParams.get("tls") !== "optional";
}

/** The server, or an attacker in between, refused STARTTLS. A bad certificate is another error. */
function wasRefusedTls(error: unknown): boolean {
  if (!(error instanceof Error) || !("command" in error) || !("response" in error)) return false;
  return ["STARTTLS", "EHLO"].includes(String(error.command)) && typeof error.response === "string";
}

/**
 * nodemailer also takes options from the address, and these override ours: some would make it print whole
 * emails, tokens included, others would make it send them unencrypted.
 */
const NOT_FROM_THE_ADDRESS = [
  ...["logger", "debug", "transactionLog"],
  ...["tls", "requireTLS", "ignoreTLS", "opportunisticTLS"],
];

function withOwnOptionsOnly(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  for (const option of NOT_FROM_THE_ADDRESS) url.searchParams.delete(option);
  return url.href;
}
