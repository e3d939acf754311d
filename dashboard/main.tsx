import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "../src/client/index.ts";
import "../src/react/latchkey.css";
import "./dashboard.css";
import { readConfig } from "./config.ts";
import { Frame } from "./frame.tsx";
import { ConfirmEmailPage } from "./pages/confirm-email.tsx";
import { LoginPage } from "./pages/login.tsx";
import { KeepEmailPage, NotMePage } from "./pages/mailed-links.tsx";
import { ForgotPasswordPage, ResetPasswordPage } from "./pages/password.tsx";
import { SecurityPage } from "./pages/security.tsx";
import { SignUpPage } from "./pages/sign-up.tsx";

/** Every page; the server has decided already who may see which. */
const PAGES = {
  "/login": LoginPage,
  "/sign-up": SignUpPage,
  "/forgot-password": ForgotPasswordPage,
  "/reset-password": ResetPasswordPage,
  "/confirm-email": ConfirmEmailPage,
  "/keep-email": KeepEmailPage,
  "/not-me": NotMePage,
  "/settings/security": SecurityPage,
} as const;

const config = readConfig();
const client = createClient({ basePath: config.basePath });
const path = location.pathname.slice(config.basePath.length).replace(/\/$/, "");
const Page = PAGES[path as keyof typeof PAGES] ?? LoginPage;
const root = document.getElementById("page");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Frame value={{ config, client }}>
        <Page />
      </Frame>
    </StrictMode>,
  );
}
