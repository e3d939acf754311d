import { compose, type Message, type Occasion } from "./layout.ts";

/** Sent after an hour in which emails to an address were held back. */
export function emailsHeldBack(context: Occasion & { count: number }): Message {
  const { count, email, product } = context;
  const were = count === 1 ? "1 more email was" : `${count} more emails were`;
  return compose(context, {
    subject: `${were} held back`,
    share: "tally",
    lines: [
      `${product} sends at most 20 emails an hour to one address. In the last hour, ${were} meant for ${email} and not sent.`,
      "That can mean that someone is trying to get into your account, or wants you to overlook something.",
    ],
    after: [
      `Look at "Recent activity" in your security settings on ${product}. If something there wasn't you, reset your password: "Forgot password?" on the login page.`,
    ],
  });
}
