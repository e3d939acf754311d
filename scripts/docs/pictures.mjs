// `node scripts/docs/pictures.mjs` takes the pictures of docs/: the list of devices, and the login page of two sites,
// all in light and dark.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sparticuz from "@sparticuz/chromium";
import { chromium } from "playwright-core";
import { takeDeviceList } from "./device-list.mjs";
import { ROOT } from "./stage.mjs";

const SIZE = { width: 390, height: 560 };
const BRANDS = [
  {
    port: "43217",
    name: "Acme Notes",
    accent: "#d6006e",
    logo: '<circle cx="12" cy="12" r="11" fill="#d6006e"/><path d="M7 16l5-10 5 10" fill="none" stroke="#fff" stroke-width="2.4"/>',
  },
  {
    port: "43218",
    name: "Fernhill Library",
    accent: "#0a7d5c",
    logo: '<rect x="1" y="1" width="22" height="22" rx="6" fill="#0a7d5c"/><path d="M12 6c-2-1.4-4.5-1.5-7-1v12c2.5-.5 5-.4 7 1 2-1.4 4.5-1.5 7-1V5c-2.5-.5-5-.4-7 1zm0 0v12" fill="none" stroke="#fff" stroke-width="1.8"/>',
  },
];

const browser = await chromium.launch({
  executablePath: await sparticuz.executablePath(),
  args: sparticuz.args.filter((arg) => arg !== "--single-process"),
});
try {
  await takeDeviceList(browser);
  const shots = [];
  for (const brand of BRANDS) shots.push(...(await withServer(brand, loginPages)));
  const sheet = await browser.newPage({
    viewport: { width: SIZE.width * shots.length, height: SIZE.height },
    deviceScaleFactor: 2,
  });
  const images = shots.map((shot) => `<img width="${SIZE.width}" src="data:image/png;base64,${shot}">`);
  await sheet.setContent(`<body style="margin:0;display:flex">${images.join("")}</body>`);
  await sheet.screenshot({ path: join(ROOT, "docs", "two-brands.png") });
} finally {
  await browser.close();
}

async function withServer({ port, name, accent, logo }, work) {
  const cwd = mkdtempSync(join(tmpdir(), "latchkey-picture-"));
  writeFileSync(
    join(cwd, "logo.svg"),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${logo}</svg>`,
  );
  const env = {
    PORT: port,
    LATCHKEY_NAME: name,
    LATCHKEY_ACCENT: accent,
    LATCHKEY_LOGO: "./logo.svg",
    LATCHKEY_TERMS_URL: "https://example.com/terms",
    LATCHKEY_PRIVACY_URL: "https://example.com/privacy",
  };
  const server = spawn(process.execPath, [join(ROOT, "src", "cli", "main.ts"), "serve"], { cwd, env });
  try {
    await once(server.stdout, "data");
    return await work(`http://localhost:${port}`);
  } finally {
    server.kill("SIGTERM");
    await once(server, "close");
    rmSync(cwd, { recursive: true });
  }
}

async function loginPages(origin) {
  const shots = [];
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport: SIZE, deviceScaleFactor: 2, colorScheme });
    const page = await context.newPage();
    await page.goto(`${origin}/login`);
    await page.getByLabel("Password").waitFor();
    shots.push((await page.screenshot()).toString("base64"));
    await context.close();
  }
  return shots;
}
