import { type QueryClient, type QueryFunctionContext, useQuery } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useState } from "react";
import { serverTime } from "../client/clock.ts";
import type { Client, Reading, Session, SignedIn } from "../client/index.ts";

export type LatchkeySettings = {
  /** The path on the page's origin where Latchkey is mounted, such as `/auth`. Default: "", the root. */
  basePath?: string;
  /** Whether passkeys can be used here: https with a host name, or localhost. Browsers without them are offered none. Default: `false`. */
  passkeys?: boolean;
  /** The sites that people may sign in with. Default: none. */
  oidc?: readonly { id: string; name: string }[];
  /** The same as `LATCHKEY_PASSWORD_MIN_LENGTH`. Default: 12. */
  passwordMinLength?: number;
};

/** The cards have their own query client, separate from the app's. */
type Latchkey = {
  client: Client;
  queries: QueryClient;
  settings: Required<LatchkeySettings>;
  /** How many sessions have ended on this page. */
  endings: number;
};

/** The value of `<LatchkeyProvider>`; null outside of it. */
export const LatchkeyContext = createContext<Latchkey | null>(null);

/** The request when a person opens the page counts as use of the session; refreshes and retries don't. */
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

/** Whether the account has a password to ask for; true until that is known. */
export function useHasPassword(): boolean {
  const { data } = useLoginMethods();
  return data?.methods.some(({ kind }) => kind === "password") ?? true;
}

/** Returns a function that loads everything again; call it after an action. */
export function useRefresh(): () => Promise<void> {
  const { queries } = useLatchkey();
  return useMemo(() => () => queries.invalidateQueries(), [queries]);
}

/** Returns a function that removes sessions that have just ended from the list, before the next request. */
export function useTakeOff(): (isOver: (session: Session) => boolean) => void {
  const { queries } = useLatchkey();
  return useMemo(
    () => (isOver) =>
      queries.setQueryData<Session[]>(["sessions"], (known) => known?.filter((one) => !isOver(one))),
    [queries],
  );
}

/** The server's time, updated every few seconds, so that "3 minutes ago" stays true on an open page. */
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
