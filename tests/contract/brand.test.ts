import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createLatchkey } from "../../src/index.ts";
import { describeOnEachEngine } from "../support/databases/engines.ts";
import { need } from "../support/requests/answers.ts";
import { expectStatus, PASSWORD, signUp } from "../support/requests/people.ts";
import { serverFor, type TestServer } from "../support/servers/server.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-brand-"));
afterAll(() => rmSync(folder, { recursive: true }));
const logo = join(folder, "acme.svg");
writeFileSync(
  logo,
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>',
);

const PAGE = { Accept: "text/html" };
const NAME = `Acme: <b>"Notes" & 'More'`;
const WORDS = "Acme: &#60;b&#62;&#34;Notes&#34; &#38; &#39;More&#39;";

describeOnEachEngine("A site with a brand of its own", (engine) => {
  const branded = serverFor(engine, {
    basePath: "/auth",
    name: NAME,
    logo,
    accent: "#FC0",
    termsUrl: "https://acme.example/terms?a=1&b=2",
    privacyUrl: "https://acme.example/privacy",
    support: "help@acme.example",
  });
  const page = async (server: TestServer, path: string) => (await server.client().get(path, PAGE)).text;

  test("has its name on every page, even one that doesn't exist, and never as markup", async () => {
    for (const path of ["/login", "/sign-up", "/forgot-password", "/none"]) {
      const text = await page(branded(), path);
      expect(text).toContain(`<title>${WORDS}</title>`);
      expect(text).not.toMatch(/<b>|Latchkey</);
    }
    expect(await page(branded(), "/login")).toContain("https://acme.example/terms?a=1&#38;b=2");
  });

  test("shows its logo from its own address, where no script in it runs", async () => {
    const path =
      /<link rel="icon" href="\/auth([^"]+\.svg)"/.exec(await page(branded(), "/login"))?.[1] ?? "";
    const { headers, text } = expectStatus(200, await branded().client().get(path));
    expect(text).toContain("<svg");
    expect(headers["content-type"]).toBe("image/svg+xml");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["cache-control"]).toContain("immutable");
  });

  test("has its accent, made readable on light and on dark, in a file that the policy allows", async () => {
    const { text, headers } = await branded().client().get("/login", PAGE);
    expect(headers["content-security-policy"]).toContain("style-src 'self';");
    const path = /href="\/auth([^"]+brand-[^"]+\.css)"/.exec(text)?.[1] ?? "";
    const css = expectStatus(200, await branded().client().get(path)).text;
    expect(css).toMatch(/--lk-accent:light-dark\(#[0-9a-f]{6},#ffcc00\)/);
    expect(css).not.toContain("light-dark(#ffcc00");
  });

  test("is called by its name in emails, with its address beside it, and names the support contact", async () => {
    const { email } = await signUp(branded());
    const { host } = new URL(branded().baseUrl);
    const mail = await branded().outbox.withLink(email, "/confirm-email");
    expect(mail.text).toContain(`created an account with ${email} on ${NAME}.`);
    expect(mail.text).toContain(`Sent to ${email} by ${NAME} (${host}).`);
    expect(mail.text).toContain("Questions? help@acme.example");
    expect(mail.html).toContain('href="mailto:help@acme.example"');
    expect(mail.html).not.toMatch(/<b>|<img|#1f4fd8/);
  });

  test("is called by its name in authenticator apps and in passkeys, which are bound to its host", async () => {
    const { client, email } = await signUp(branded());
    const begun = await client.post("/api/account/two-factor", { currentPassword: PASSWORD });
    const uri = new URL(need(expectStatus(201, begun), "uri"));
    const name = NAME.replace(":", "");
    expect(uri.searchParams.get("issuer")).toBe(name);
    expect(decodeURIComponent(uri.pathname)).toBe(`/${name}:${email}`);
    expect(uri.searchParams.get("secret")).toBe(need(begun, "secret"));
    const { body } = await client.post("/api/passkeys/options");
    expect(body).toMatchObject({ rp: { name: NAME, id: "localhost" } });
  });

  test("takes no password that is little more than its name", async () => {
    const answer = await branded()
      .client()
      .post("/api/accounts", { email: "a@b.test", password: "acmenotes-2026" });
    expect(answer).toMatchObject({ status: 422, body: { code: "weak_password" } });
  });
});

describe("A logo", () => {
  test("of more than 256 kB is refused at the start", async () => {
    const large = join(folder, "large.png");
    writeFileSync(large, Buffer.alloc(256 * 1024 + 1));
    const starting = createLatchkey({
      logo: large,
      databaseUrl: `sqlite:${join(folder, "x.db")}`,
      logLevel: "silent",
    });
    await expect(starting).rejects.toThrow(/^LATCHKEY_LOGO takes .*is larger/);
  });
});
