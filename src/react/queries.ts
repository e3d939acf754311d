import { type QueryClient, type QueryFunctionContext, useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useState } from "react";
import { serverTime } from "../client/clock.ts";
import type { Client, Reading, Session, SignedIn } from "../client/index.ts";

export type LatchkeySettings = {
  /** The path that Latchkey is mounted below, such as `/auth`. Default: "", the root of the page's origin. */
  basePath?: string;
  /** Whether passkeys can be used here: https with a host name, or localhost. Browsers without them are offered none. Default: `false`. */
  passkeys?: boolean;
  /** The sites that people may sign in with. Default: none. */
  oidc?: readonly { id: string; name: string }[];
  /** The same as `LATCHKEY_PASSWORD_MIN_LENGTH`. Default: 12. */
  passwordMinLength?: number;
};

/** The cards have a query client of their own, apart from one that the app may have. */
type Latchkey = {
  client: Client;
  queries: QueryClient;
  settings: Required<LatchkeySettings>;
  /** How many sessions have ended on this page. */
  endings: number;
};

/** What `<LatchkeyProvider>` gives; null outside of it. */
export const LatchkeyContext = createContext<Latchkey | null>(null);

/** What is read when a person opens a page is use of the session; reading it again, or trying again, isn't. */
export function readingOf({ client, queryKey }: Pick<QueryFunctionContext, "client" | "queryKey">): Reading {
  const query = client.getQueryState(queryKey);
  return { background: query !== undefined && (query.isInvalidated || query.fetchFailureCount > 0) };
}

export function useLatchkey(): Latchkey {
  const value = useContext(LatchkeyContext);
  if (!value) throw new Error("Put Latchkey's cards inside <LatchkeyProvider>.");
  return value;
}

/** The client of the provider. */
export function useClient(): Client {
  return useLatchkey().client;
}

/** Who is signed in. */
export function useWho() {
  const { client, queries } = useLatchkey();
  return useQuery<SignedIn>(
    { queryKey: ["who"], queryFn: (query) => client.session(readingOf(query)) },
    queries,
  );
}

/** Every device that is logged in. */
export function useSessions() {
  const { client, queries } = useLatchkey();
  return useQuery({ queryKey: ["sessions"], queryFn: (query) => client.sessions(readingOf(query)) }, queries);
}

/** The login methods of this account. */
export function useLoginMethods() {
  const { client, queries } = useLatchkey();
  return useQuery(
    { queryKey: ["methods"], queryFn: (query) => client.loginMethods(readingOf(query)) },
    queries,
  );
}

/** Whether the current password can be asked for; until it is known, it is. */
export function useHasPassword(): boolean {
  const { data } = useLoginMethods();
  return data?.methods.some(({ kind }) => kind === "password") ?? true;
}

/** A function that loads everything again: after an action, and when the server says that something changed. */
export function useRefresh(): () => Promise<void> {
  const { queries } = useLatchkey();
  return useMemo(() => () => queries.invalidateQueries(), [queries]);
}

/** Takes sessions that have just ended off the list, before the next reading says so too. */
export function useTakeOff(): (isOver: (session: Session) => boolean) => void {
  const { queries } = useLatchkey();
  return useMemo(
    () => (isOver) =>
      queries.setQueryData<Session[]>(["sessions"], (known) => known?.filter((one) => !isOver(one))),
    [queries],
  );
}

/** The time by the server's clock, updated every few seconds, so that "3 minutes ago" stays true while the page is open. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const tick = () => setNow(Date.now());
    const timer = setInterval(tick, 10_000);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, []);
  return serverTime(now);
}
