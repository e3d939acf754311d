import { createTransport } from "nodemailer";
import { type Carrier, compile } from "./carrier.ts";

const MOST_CONNECTIONS = 3;
const CONNECT_TIMEOUT = 20_000;
const GREETING_TIMEOUT = 30_000;
const SOCKET_TIMEOUT = 60_000;

/** Hands mails to the server of an `smtp://` or `smtps://` address, over few connections that stay open a while. */
export function smtpCarrier(smtpUrl: string, from: string): Carrier {
  const transport = createTransport({
    url: withoutLogger(smtpUrl),
    pool: true,
    maxConnections: MOST_CONNECTIONS,
    maxRequeues: 0,
    connectionTimeout: CONNECT_TIMEOUT,
    greetingTimeout: GREETING_TIMEOUT,
    socketTimeout: SOCKET_TIMEOUT,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async carry(mail) {
      await transport.sendMail(compile(from, mail));
    },
    async verify() {
      await transport.verify();
    },
    close: () => transport.close({ force: true }),
  };
}

/** nodemailer takes options from the address too, and with these it would print whole mails, tokens and all. */
function withoutLogger(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  for (const option of ["logger", "debug", "transactionLog"]) url.searchParams.delete(option);
  return url.href;
}
