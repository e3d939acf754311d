import { simpleParser } from "mailparser";
import { createTransport } from "nodemailer";
import { describe, expect, test } from "vitest";
import { emailsHeldBack } from "./held-back.ts";
import type { Occasion } from "./layout.ts";
import * as messages from "./messages.ts";

const LINK =
  "https://app.example.com/auth/page#token=lkm_0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmno";
const LINKED = { href: LINK, expiresAt: Date.UTC(2026, 10, 25) };
const WHEN = "24 November 2026, 03:47 UTC";
const quiet = {
  product: "app.example.com",
  email: "ann@example.com",
  at: Date.UTC(2026, 10, 24, 3, 47, 58),
  device: "Firefox on Windows",
};

const noticed = { ...quiet, notMeLink: LINKED };

type Words = { context: Occasion; other: string };

/** Emails with one link. */
function linked({ context, other }: Words) {
  const linking = { ...context, link: LINKED };
  return {
    verifyAddress: messages.verifyAddress(linking),
    finishSignUp: messages.finishSignUp(linking),
    resetPassword: messages.resetPassword(linking),
    secureAccount: messages.secureAccount(linking),
    secureMovedAccount: messages.secureMovedAccount({ ...linking, movedTo: other }),
    confirmNewAddress: messages.confirmNewAddress({ ...linking, oldEmail: other }),
    addressChangeAsked: messages.addressChangeAsked({ ...linking, newEmail: other }),
    addressChanged: messages.addressChanged({ ...linking, newEmail: other }),
  };
}

/** Emails with a link for an owner who didn't do it. */
function notices({ context, other }: Words) {
  const notice = { ...context, notMeLink: LINKED };
  return {
    passwordChanged: messages.passwordChanged({ ...notice, othersLoggedOut: 2 }),
    passwordWasReset: messages.passwordWasReset({ ...notice, kept: [other], removed: [`"Key"`] }),
    twoFactorTurnedOn: messages.twoFactorTurnedOn(notice),
    twoFactorTurnedOff: messages.twoFactorTurnedOff({ ...notice, by: other }),
    recoveryCodesRenewed: messages.recoveryCodesRenewed(notice),
    recoveryCodeUsed: messages.recoveryCodeUsed({ ...notice, left: 7 }),
    newSignIn: messages.newSignIn({ ...notice, device: other }),
    wrongSecondFactor: messages.wrongSecondFactor({ ...notice, knowsPassword: other !== "" }),
    methodAdded: messages.methodAdded({ ...notice, name: other }),
    methodRemoved: messages.methodRemoved({ ...notice, name: other }),
    cookieCopyUsed: messages.cookieCopyUsed({ ...notice, session: other }),
  };
}

/** Emails that never have a link. */
function linkless({ context }: Words) {
  return {
    alreadyHasAccount: messages.alreadyHasAccount(context),
    addressIsKept: messages.addressIsKept(context),
    addressAlreadyTaken: messages.addressAlreadyTaken(context),
    emailChangeReversed: messages.emailChangeReversed(context),
    accountDeleted: messages.accountDeleted(context),
    emailsHeldBack: emailsHeldBack({ ...context, count: 12 }),
  };
}

function withLink(words: Words) {
  return { ...linked(words), ...notices(words) };
}

const quietWords: Words = { context: quiet, other: "ann@new.example" };
const hostile =
  '<script>alert("1")</script>\r\nBcc: eve@evil.test\n\u202egro.live\u2066\u200b\u061c\u0000\u2028\ud800&\'';
const hostileWords: Words = {
  context: { ...quiet, email: `${hostile}@example.com`, device: hostile },
  other: hostile,
};

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

test("every message of the module is looked at here", () => {
  const seen = Object.keys({ ...withLink(quietWords), ...linkless(quietWords) });
  expect(seen.sort()).toEqual([...Object.keys(messages), "emailsHeldBack"].sort());
});

describe.each(Object.entries({ ...linkless(quietWords), ...withLink(quietWords) }))("%s", (_, message) => {
  test("names the account, the site and the time in words", () => {
    for (const part of [message.text, message.html]) {
      expect(part).toContain("ann@example.com");
      expect(part).toContain("app.example.com");
      expect(part).toContain(WHEN);
    }
  });

  test("is one column without pictures, scripts or anything fetched", () => {
    expect(message.html).toContain("max-width:480px");
    expect(message.html).not.toMatch(/<(?:img|script|link|iframe|style)|src=|url\(/i);
  });

  test("has a subject of one line, without a full stop", () => {
    expect(message.subject).toMatch(/^[^\r\n]{5,80}[^.\r\n]$/);
  });
});

describe.each(Object.entries(withLink(quietWords)))("%s with a link", (_, { text, html }) => {
  test("has it once in the text, on a line of its own", () => {
    expect(text.split("\n")).toContain(LINK);
    expect(occurrences(text, "https://")).toBe(1);
  });

  test("has it once in the HTML, on the only button", () => {
    expect(html).toContain(`<a href="${LINK}"`);
    expect(occurrences(html, "<a ")).toBe(1);
    expect(occurrences(html, "https://")).toBe(1);
  });
});

test.each(Object.entries(linkless(quietWords)))("%s without a link has none at all", (_, { text, html }) => {
  expect(text).not.toContain("://");
  expect(html).not.toMatch(/<a |href|:\/\//);
});

describe.each(Object.entries({ ...linkless(hostileWords), ...withLink(hostileWords) }))(
  "%s with hostile words",
  (_, { subject, text, html }) => {
    test("lets no markup into the HTML", () => {
      expect(html).not.toMatch(/<\/?script/i);
      expect(html.replaceAll(/&#\d+;/g, "")).not.toContain("&");
      const tags = [...html.matchAll(/<[^>]*>/g)].join("");
      expect(tags).toContain("<p");
      expect(tags).not.toContain("alert");
    });

    test("lets no line break, control character or turned text into any part", () => {
      const disturbing = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
      expect(subject).not.toMatch(disturbing);
      for (const part of [text, html]) expect(part.replaceAll("\n", "")).not.toMatch(disturbing);
      expect(text).not.toMatch(/^(?:Bcc|gro|<script)/m);
    });
  },
);

test("every email comes out of quoted-printable as it went in", async () => {
  const composer = createTransport({ streamTransport: true, buffer: true });
  for (const message of Object.values(withLink(hostileWords))) {
    const mail = { ...message, to: "ann@example.com", textEncoding: "quoted-printable" as const };
    const parsed = await simpleParser((await composer.sendMail(mail)).message);
    expect(parsed.subject).toBe(message.subject);
    expect(parsed.text?.trim()).toBe(message.text.trim());
    expect(parsed.html).toContain(`href="${LINK}"`);
  }
});

test("the lifetimes are those of the links", () => {
  const { verifyAddress, finishSignUp, resetPassword, confirmNewAddress, ...rest } = linked(quietWords);
  expect(verifyAddress.text).toContain("24 hours");
  expect(finishSignUp.text).toContain("24 hours");
  expect(resetPassword.text).toContain("30 minutes");
  expect(confirmNewAddress.text).toContain("60 minutes");
  expect(rest.addressChangeAsked.text).toContain("7 days");
  expect(rest.addressChanged.text).toContain("7 days");
  expect(messages.newSignIn(noticed).text).toContain("7 days");
});

describe("the words fit what happened", () => {
  test("a new sign-in names the device in its subject and asks", () => {
    const message = messages.newSignIn(noticed);
    expect(message.subject).toBe("New sign-in: Firefox on Windows");
    expect(message.text).toContain("Was this you?");
  });

  test("a device that nothing is known of has its article in a sentence", () => {
    const { subject, text } = messages.newSignIn({ ...noticed, device: "Unknown device" });
    expect(subject).toBe("New sign-in: Unknown device");
    expect(text).toContain("with an unknown device, a browser that");
    expect(text).toContain("UTC, from an unknown device.");
  });

  test.each([
    [0, "No other device was logged in."],
    [1, "1 other device was logged out."],
    [3, "3 other devices were logged out."],
  ])("a password change that logged out %i others says so", (othersLoggedOut, words) => {
    expect(messages.passwordChanged({ ...noticed, othersLoggedOut }).text).toContain(words);
  });

  test.each([
    [9, "9 of 10 are left."],
    [1, "1 of 10 is left."],
    [0, "None are left"],
  ])("a used recovery code says that %i are left", (left, words) => {
    expect(messages.recoveryCodeUsed({ ...noticed, left }).text).toContain(words);
  });

  test("a second factor turned off says who did it, once", () => {
    const { device, ...fromNowhere } = noticed;
    const byOwner = messages.twoFactorTurnedOff({ ...noticed, by: device });
    expect(occurrences(byOwner.text, device)).toBe(1);
    const byAdministrator = messages.twoFactorTurnedOff({ ...fromNowhere, by: "an administrator" });
    expect(byAdministrator.text).toContain("turned off by an administrator.");
  });
});
