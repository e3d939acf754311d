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

/** The address of a page of Latchkey. */
export function usePath(): (page: string) => string {
  const { config } = useFrame();
  return (page) => config.basePath + page;
}

/**
 * Goes to another page, in the place of this one. Where that takes long, whoever awaits it stays at work: what
 * was done is not to be sent again meanwhile, to be refused as done already.
 */
export function leaveTo(href: string): Promise<never> {
  location.replace(href);
  return untilLeft();
}

/** Lasts as long as the page, which is about to leave. */
export function untilLeft(): Promise<never> {
  return new Promise(() => {});
}

/** Goes on after a sign-in: where the person was going, or to the security page; to the same place on it. */
export function useGoOn(): (hash?: string) => Promise<never> {
  const { config } = useFrame();
  return (hash = location.hash) => {
    const { origin, search } = location;
    const { basePath, returnOrigins } = config;
    const next = new URLSearchParams(search).get("next");
    return leaveTo(nextAfterSignIn(next, { origin, hash, basePath, returnOrigins }));
  };
}

/**
 * What a link to another way in takes along: where the person was going, and the place on that page. A fragment
 * that begins like one of Latchkey's own would be taken for it.
 */
export function whereTo(): string {
  const { search, hash } = location;
  return /^#(token|email)=/.test(hash) ? search : search + hash;
}

/** Names the page, and tells where it has just become another one: not when it was loaded. */
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

/** A page of one task: the mark, and one card in the upper third. Where the task ends, its heading says so and has the focus. */
export function OneTask({ title, children }: { title: string; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useTitle(title, () => {
    // A field of the next step may have it already.
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

/** Terms, privacy and support, where there are any. They open beside the page: what was typed here stays. */
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

/** A sentence for the next page, by its name only: nothing that a link could put there is ever shown. */
const NOTICES = {
  deleted: "Your account was deleted.",
  reset: "Password changed. Every device was logged out. Log in with the new password.",
  unanswered:
    "The answer to your change of password was lost on the way. Log in with the new password. If it is wrong, the old one still works.",
} as const;

export function leaveNotice(name: keyof typeof NOTICES): void {
  sessionStorage.setItem(NOTICE, name);
}

/** For what has not come to pass after all. */
export function takeBackNotice(name: keyof typeof NOTICES): void {
  if (sessionStorage.getItem(NOTICE) === name) sessionStorage.removeItem(NOTICE);
}

export function takeNotice(): string | null {
  const name = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  return name !== null && name in NOTICES ? NOTICES[name as keyof typeof NOTICES] : null;
}

/** Takes a parameter out of the address bar: a reload is to say it no more. */
export function takeFromAddress(name: string): string | null {
  const url = new URL(location.href);
  const value = url.searchParams.get(name);
  url.searchParams.delete(name);
  if (value !== null) history.replaceState(null, "", url.pathname + url.search + url.hash);
  return value;
}

/** The token of an emailed link. It leaves the address bar at once, and no server ever sees it. */
export function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

const KEPT_TOKEN = "latchkey:confirmation";

/**
 * The same, kept in this tab until `forgetToken`, so that the page can go on with it after a log-in: no
 * address that a server sees ever has it.
 */
export function takeTokenAndKeep(): string | null {
  const token = takeToken() ?? keptToken();
  if (token !== null) sessionStorage.setItem(KEPT_TOKEN, token);
  return token;
}

export function keptToken(): string | null {
  return sessionStorage.getItem(KEPT_TOKEN);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEPT_TOKEN);
}
