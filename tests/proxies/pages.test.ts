import { expect, test } from "vitest";
import { browserFor } from "../support/browsers/browser.ts";
import { PASSWORD, signUpConfirmed } from "../support/requests/people.ts";
import { UA } from "../support/requests/user-agents.ts";
import { describeBehindEachProxy } from "./behind.ts";

await describeBehindEachProxy("A browser at an app behind a proxy", (behind) => {
  const browser = browserFor();

  test("is sent to the login page, comes back to the page it wanted, and loses access once it is logged out", async () => {
    const { server, origin } = behind();
    const person = await signUpConfirmed(server);
    const { page } = await browser.device({ userAgent: UA.firefoxWindows });
    await page.goto(`${origin}/notes?of=today`);
    expect(new URL(page.url()).pathname).toBe("/auth/login");
    await page.getByLabel("Email").fill(person.email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: `Hello, ${person.email}` }).waitFor();
    expect(page.url()).toBe(`${origin}/notes?of=today`);
    await person.client.delete("/api/sessions");
    await page.reload();
    expect(new URL(page.url()).pathname).toBe("/auth/login");
    await page.getByText("You were logged out from Chrome on Mac OS").waitFor();
  });
});
