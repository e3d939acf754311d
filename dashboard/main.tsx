import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "../src/client/index.ts";
import "../src/react/latchkey.css";
import "./dashboard.css";
import { readConfig } from "./config.ts";
import { Frame } from "./frame.tsx";
import { LoginPage } from "./pages/login.tsx";
import { SecurityPage } from "./pages/security.tsx";
import { SignUpPage } from "./pages/sign-up.tsx";

/** Fetched only where it is opened: nobody needs it to log in. */
const mailedLink = (name: keyof typeof import("./pages/mailed-links.tsx")) => async () =>
  (await import("./pages/mailed-links.tsx"))[name];

/** Every page; the server has decided already who may see which. */
const PAGES = {
  "/login": () => LoginPage,
  "/sign-up": () => SignUpPage,
  "/forgot-password": mailedLink("ForgotPasswordPage"),
  "/reset-password": mailedLink("ResetPasswordPage"),
  "/confirm-email": mailedLink("ConfirmEmailPage"),
  "/keep-email": mailedLink("KeepEmailPage"),
  "/not-me": mailedLink("NotMePage"),
  "/settings/security": () => SecurityPage,
} as const;

const config = readConfig();
const client = createClient({ basePath: config.basePath });
const path = location.pathname.slice(config.basePath.length).replace(/\/$/, "");
const root = document.getElementById("page");
if (root) void show(root);

/** Fetches first, then draws: a page that takes the token out of its address is begun once. */
async function show(element: HTMLElement): Promise<void> {
  const Page = await (PAGES[path as keyof typeof PAGES] ?? PAGES["/login"])();
  createRoot(element).render(
    <StrictMode>
      <Frame value={{ config, client }}>
        <Page />
      </Frame>
    </StrictMode>,
  );
}
