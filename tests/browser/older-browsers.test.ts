import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { browserFor, createAccount, focused } from "../support/browsers/browser.ts";
import { freshEmail, OTHER_PASSWORD, PASSWORD, signIn } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { serverOn } from "../support/servers/sqlite-server.ts";

/** Removes what Safari 16 and Firefox 102 don't have yet. */
const AS_OF_2022 = `
  delete AbortSignal.any;
  delete AbortSignal.timeout;
  delete URL.canParse;
  delete URL.parse;
  CSSStyleSheet = function () { throw new TypeError("Illegal constructor"); };
  for (const name of ["showPopover", "hidePopover", "togglePopover"]) delete HTMLElement.prototype[name];
`;

describe("a browser of 2022", () => {
  const server = serverOn();
  const browser = browserFor();

  /** Signs up on the way to the security page. */
  async function signedUp() {
    const email = freshEmail();
    const { page, context } = await browser.device({ userAgent: UA.safariMac });
    await context.addInitScript(AS_OF_2022);
    await page.goto(`${server().baseUrl}/sign-up?next=%2Fsettings%2Fsecurity`);
    await createAccount(page, email, PASSWORD);
    await page.getByText("Current session").waitFor();
    return { page, email };
  }

  it("signs up and goes on, sees devices come by themselves, and leaves when it is logged out", async () => {
    const { page, email } = await signedUp();
    const { client } = await signIn(server(), { email, password: PASSWORD }, UA.firefoxWindows);
    await page.getByRole("button", { name: "Log out Firefox on Windows" }).waitFor();
    await client.delete("/api/sessions");
    await page.waitForURL("**/login");
    await page.getByText("You were logged out from Firefox on Windows").waitFor();
  });

  it("changes a password, logs out, and logs in with the new one", async () => {
    const { page, email } = await signedUp();
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByLabel("Current password").fill(PASSWORD);
    await page.getByLabel("New password").fill(OTHER_PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("Password changed.").waitFor();
    await page.getByRole("button", { name: "account menu" }).click();
    await expect.poll(() => focused(page)).toBe("Log out");
    await page.keyboard.press("Tab");
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.waitForURL("**/login");
    await page.goto(`${server().baseUrl}/login?next=%2Fsettings%2Fsecurity`);
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(OTHER_PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("Current session").waitFor();
  });

  it("shows <login-management> in its own look", async () => {
    const { page } = await signedUp();
    const path = fileURLToPath(new URL("../../dist/elements/index.js", import.meta.url));
    await page.route("**/elements.js", (route) => route.fulfill({ path }));
    await page.route("**/devices", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<!doctype html><script type="module" src="/elements.js"></script><login-management></login-management>`,
      }),
    );
    await page.goto(`${server().baseUrl}/devices`);
    await page.getByText("Current session").waitFor();
    const look = `getComputedStyle(document.querySelector("login-management").shadowRoot.querySelector(".lk-card"))`;
    expect(await page.evaluate(`${look}.paddingTop`)).toBe("24px");
  });
});
