import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "../src/client/index.ts";
import "../src/react/latchkey.css";
import "./dashboard.css";
import { readConfig } from "./config.ts";
import { Frame } from "./frame.tsx";
import { loadPastedLinks } from "./link-token.ts";

/** Each page loads only its own code, so that the login page doesn't wait for that of others. */
const emailedLink = (name: keyof typeof import("./pages/emailed-links.tsx")) => async () =>
  (await import("./pages/emailed-links.tsx"))[name];

/** Every page. The server has already decided which of them this person may see. */
const PAGES = {
  "/login": async () => (await import("./pages/login.tsx")).LoginPage,
  "/sign-up": async () => (await import("./pages/sign-up.tsx")).SignUpPage,
  "/forgot-password": emailedLink("ForgotPasswordPage"),
  "/reset-password": emailedLink("ResetPasswordPage"),
  "/confirm-email": emailedLink("ConfirmEmailPage"),
  "/keep-email": emailedLink("KeepEmailPage"),
  "/not-me": emailedLink("NotMePage"),
  "/settings/security": async () => (await import("./pages/security.tsx")).SecurityPage,
} as const;

const config = readConfig();
const client = createClient({ basePath: config.basePath });
const path = location.pathname.slice(config.basePath.length).replace(/\/$/, "");
const root = document.getElementById("page");
loadPastedLinks();
if (root) void show(root);

/** Loads the page's code before rendering, so that a page that takes a token from the URL starts once. */
async function show(element: HTMLElement): Promise<void> {
  const fetchPage = navigator.cookieEnabled
    ? (PAGES[path as keyof typeof PAGES] ?? PAGES["/login"])
    : async () => (await import("./pages/cookies-off.tsx")).CookiesOffPage;
  const Page = await fetchPage();
  // Removes the server's content, which is for browsers in which the scripts don't load.
  element.replaceChildren();
  createRoot(element).render(
    <StrictMode>
      <Frame value={{ config, client }}>
        <Page />
      </Frame>
    </StrictMode>,
  );
}
