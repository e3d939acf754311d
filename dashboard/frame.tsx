import { createContext, type ReactNode, useContext, useEffect, useRef } from "react";
import type { Client } from "../src/client/index.ts";
import type { Config } from "./config.ts";
import { nextAfterSignIn } from "./next.ts";

type Surroundings = { config: Config; client: Client };

export const Frame = createContext<Surroundings | null>(null);

export function useFrame(): Surroundings {
  const frame = useContext(Frame);
  if (!frame) throw new Error("A page stands outside of its frame.");
  return frame;
}

/** Returns a function for the path of one of Latchkey's pages. */
export function usePath(): (page: string) => string {
  const { config } = useFrame();
  return (page) => config.basePath + page;
}

/**
 * Replaces this page with another one. The promise never resolves, so the form that awaits it stays busy
 * until the page is gone, and can't be sent a second time.
 */
export function leaveTo(href: string): Promise<never> {
  location.replace(href);
  return untilLeft();
}

/** Never resolves: for awaiting the end of a page that is about to leave. */
export function untilLeft(): Promise<never> {
  return new Promise(() => {});
}

/** Continues after a sign-in, to the page in `next` or the security page, with the fragment. */
export function useGoOn(): (hash?: string) => Promise<never> {
  const { config } = useFrame();
  return (hash = location.hash) => {
    const { origin, search } = location;
    const { basePath, returnOrigins } = config;
    const next = new URLSearchParams(search).get("next");
    return leaveTo(nextAfterSignIn(next, { origin, hash, basePath, returnOrigins }));
  };
}

/** Sets the page's title. Calls `onChanged` when it changes later, but not when the page loads. */
export function useTitle(title: string, onChanged?: () => void): void {
  const { config } = useFrame();
  const site = ` · ${config.name}`;
  const changed = useRef(onChanged);
  changed.current = onChanged;
  useEffect(() => {
    const isAnother = document.title.endsWith(site) && document.title !== title + site;
    document.title = title + site;
    if (isAnother) changed.current?.();
  }, [title, site]);
}

export function Mark() {
  const { config } = useFrame();
  return (
    <span className="mark">
      {config.logo === null ? <Key /> : <Logo path={config.logo} />}
      <bdi>{config.name}</bdi>
    </span>
  );
}

function Logo({ path }: { path: string }) {
  // biome-ignore lint/performance/noImgElement: there is no Next.js here.
  return <img className="mark-logo" src={path} alt="" />;
}

function Key() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" className="mark-ground" />
      <circle cx="16" cy="12.5" r="4.5" className="mark-line" />
      <path d="M16 17v8M16 21h4" className="mark-line" />
    </svg>
  );
}

/** A page for one task: the logo and a card. When its title changes, the heading gets the focus. */
export function OneTask({ title, children }: { title: string; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useTitle(title, () => {
    // A field of the next step may already have the focus.
    if (document.activeElement === document.body) heading.current?.focus();
  });
  return (
    <main className="one-task">
      <Mark />
      <div className="lk-card">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
      <SiteLinks />
    </main>
  );
}

/** Links to terms, privacy and support, if any. They open in a new tab, so that what was typed here stays. */
export function SiteLinks() {
  const { config } = useFrame();
  if (config.links.length === 0) return null;
  return (
    <p className="site-links">
      {config.links.map(({ words, href }) => (
        <a key={words} href={href} target="_blank" rel="noreferrer">
          {words}
        </a>
      ))}
    </p>
  );
}

const NOTICE = "latchkey:notice";

/** Messages for the next page. Only the name is stored, so that no other text can ever be shown. */
const NOTICES = {
  deleted: "Your account was deleted.",
  reset: "Password changed. Every device was logged out. Log in with the new password.",
  unanswered:
    "The answer to your change of password was lost on the way. Log in with the new password. If it is wrong, the old one still works.",
} as const;

export function leaveNotice(name: keyof typeof NOTICES): void {
  sessionStorage.setItem(NOTICE, name);
}

/** Removes a notice if what it says hasn't happened after all. */
export function takeBackNotice(name: keyof typeof NOTICES): void {
  if (sessionStorage.getItem(NOTICE) === name) sessionStorage.removeItem(NOTICE);
}

export function takeNotice(): string | null {
  const name = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  return name !== null && name in NOTICES ? NOTICES[name as keyof typeof NOTICES] : null;
}

/** Takes a parameter out of the URL, so that its message isn't shown again after a reload. */
export function takeFromAddress(name: string): string | null {
  const url = new URL(location.href);
  const value = url.searchParams.get(name);
  url.searchParams.delete(name);
  if (value !== null) history.replaceState(null, "", url.pathname + url.search + url.hash);
  return value;
}
