import { QueryClient, type QueryFunctionContext, useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import {
  type Client,
  createClient,
  type Ending,
  type Reading,
  Refused,
  type Session,
  type SignedIn,
} from "../client/index.ts";
import { ProofProvider } from "./proof.tsx";

export type LatchkeySettings = {
  /** The path that Latchkey is mounted below, without a slash at its end. */
  basePath?: string;
  /** Whether passkeys can be used here: https with a host name, or localhost. */
  passkeys?: boolean;
  /** The sites that people may sign in with. */
  oidc?: readonly { id: string; name: string }[];
  passwordMinLength?: number;
};

/** The cards' own queries are no business of the app's, which may have a query client itself. */
type Latchkey = { client: Client; queries: QueryClient; settings: Required<LatchkeySettings> };

const Context = createContext<Latchkey | null>(null);

type ProviderProps = LatchkeySettings & {
  /** Default: one made for `basePath`. */
  client?: Client;
  /** Told once, in every tab, when this device is logged out. Default: goes to the login page, and back after it. */
  onSignedOut?: (ending: Ending) => void;
  children: ReactNode;
};

/**
 * Gives the cards their client, keeps what they show up to date while they are on the page, and leaves it
 * when this device is logged out. Everything else goes inside.
 */
export function LatchkeyProvider(props: ProviderProps) {
  const { basePath = "", passkeys = false, oidc = [], passwordMinLength = 12, children } = props;
  const [client] = useState(() => props.client ?? createClient({ basePath }));
  const [queries] = useState(() => new QueryClient({ defaultOptions: { queries: QUERY_DEFAULTS } }));
  const value = useMemo(
    () => ({ client, queries, settings: { basePath, passkeys, oidc, passwordMinLength } }),
    [client, queries, basePath, passkeys, oidc, passwordMinLength],
  );
  useLeaving(client, props.onSignedOut);
  useEffect(() => {
    queries.mount();
    return () => queries.unmount();
  }, [queries]);
  useEffect(() => client.watch(() => void queries.invalidateQueries()), [client, queries]);
  useEffect(() => {
    const readAgain = () => void queries.invalidateQueries();
    window.addEventListener("online", readAgain);
    return () => window.removeEventListener("online", readAgain);
  }, [queries]);
  return (
    <Context value={value}>
      <ProofProvider>{children}</ProofProvider>
    </Context>
  );
}

function useLeaving(client: Client, onSignedOut: ProviderProps["onSignedOut"]): void {
  const listener = useRef(onSignedOut);
  useEffect(() => {
    listener.current = onSignedOut;
  }, [onSignedOut]);
  useEffect(() => {
    const goToLogin = () =>
      location.replace(`${client.basePath}/login?next=${encodeURIComponent(location.href)}`);
    return client.onSignedOut((ending) => (listener.current ?? goToLogin)(ending));
  }, [client]);
}

const LONGEST_WAIT = 15_000;

const QUERY_DEFAULTS = {
  staleTime: 5_000,
  refetchOnWindowFocus: false,
  // What the browser says of the network is shown, but tried all the same: it is often wrong.
  networkMode: "always",
  // A refusal stays a refusal, unless it was for asking too often; a network that failed is tried again.
  retry: (_failures: number, error: unknown) => !(error instanceof Refused) || isTooOften(error),
  retryDelay: (attempt: number, error: unknown) =>
    error instanceof Refused
      ? (error.facts.retryAfter ?? 60) * 1_000
      : Math.min(1_000 * 2 ** attempt, LONGEST_WAIT),
} as const;

function isTooOften({ code }: Refused): boolean {
  return code === "too_many_attempts";
}

/** What is read when a person opens a page is use of the session; that it is read anew, or tried again, isn't. */
export function readingOf({ client, queryKey }: Pick<QueryFunctionContext, "client" | "queryKey">): Reading {
  const query = client.getQueryState(queryKey);
  return { background: query !== undefined && (query.isInvalidated || query.fetchFailureCount > 0) };
}

export function useLatchkey(): Latchkey {
  const value = useContext(Context);
  if (!value) throw new Error("Put Latchkey's cards inside <LatchkeyProvider>.");
  return value;
}

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

export function useSessions() {
  const { client, queries } = useLatchkey();
  return useQuery({ queryKey: ["sessions"], queryFn: (query) => client.sessions(readingOf(query)) }, queries);
}

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

/** Reads everything anew: after an action, and when the server says that something changed. */
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

/** The time, again every few seconds, so that "3 minutes ago" stays true while the page is open. */
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
  return now;
}
