import { QueryClient, QueryClientProvider, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { type Client, createClient, Refused, type SignedIn } from "../client/index.ts";
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

type Latchkey = { client: Client; settings: Required<LatchkeySettings> };

const Context = createContext<Latchkey | null>(null);

/** Gives the cards their client, and keeps what they show up to date. Everything else goes inside. */
export function LatchkeyProvider(props: LatchkeySettings & { client?: Client; children: ReactNode }) {
  const { basePath = "", passkeys = false, oidc = [], passwordMinLength = 12, children } = props;
  const [client] = useState(() => props.client ?? createClient({ basePath }));
  const [queries] = useState(() => new QueryClient({ defaultOptions: { queries: QUERY_DEFAULTS } }));
  const value = useMemo(
    () => ({ client, settings: { basePath, passkeys, oidc, passwordMinLength } }),
    [client, basePath, passkeys, oidc, passwordMinLength],
  );
  return (
    <Context value={value}>
      <QueryClientProvider client={queries}>
        <ProofProvider>{children}</ProofProvider>
      </QueryClientProvider>
    </Context>
  );
}

const QUERY_DEFAULTS = {
  staleTime: 5_000,
  refetchOnWindowFocus: false,
  // A refusal stays a refusal; a network that failed is tried again, ever more slowly.
  retry: (failures: number, error: unknown) => !(error instanceof Refused) && failures < 20,
  retryDelay: (attempt: number) => Math.min(1_000 * 2 ** attempt, 15_000),
} as const;

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
  const client = useClient();
  return useQuery<SignedIn>({ queryKey: ["who"], queryFn: () => client.session({ background: true }) });
}

export function useSessions() {
  const client = useClient();
  return useQuery({ queryKey: ["sessions"], queryFn: () => client.sessions({ background: true }) });
}

export function useLoginMethods() {
  const client = useClient();
  return useQuery({ queryKey: ["methods"], queryFn: () => client.loginMethods({ background: true }) });
}

/** Reads everything anew: after an action, and when the server says that something changed. */
export function useRefresh(): () => Promise<void> {
  const queries = useQueryClient();
  return useMemo(() => () => queries.invalidateQueries(), [queries]);
}

/** Keeps the cards live while they are on the page: one stream for all tabs of the browser. */
export function useLive(): void {
  const client = useClient();
  const refresh = useRefresh();
  useEffect(() => client.watch(() => void refresh()), [client, refresh]);
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
