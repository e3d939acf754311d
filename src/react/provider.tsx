import { QueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState, version } from "react";
import { type Client, createClient, type Ending, Refused } from "../client/index.ts";
import { nextTry } from "../client/next-try.ts";
import { useInBrowser } from "./parts/in-browser.ts";
import { canUsePasskeys } from "./proof/passkeys.ts";
import { ProofProvider } from "./proof/proof.tsx";
import { LatchkeyContext, type LatchkeySettings } from "./queries.ts";

type ProviderProps = LatchkeySettings & {
  /** The client to use. Default: one made for `basePath`. */
  client?: Client;
  /** Called in every tab if this device is logged out. Default: goes to the login page, which leads back. */
  onSignedOut?: (ending: Ending) => void;
  /** Everything that contains cards or calls hooks. */
  children: ReactNode;
};

/**
 * Provides the client to the cards, keeps their data up to date, and goes to the login page when this device
 * is logged out. Put cards and hooks inside it.
 */
export function LatchkeyProvider(props: ProviderProps) {
  const { basePath = "", oidc = [], passwordMinLength = 12, children } = props;
  const passkeys = useInBrowser(canUsePasskeys, true) && props.passkeys === true;
  const [client] = useState(() => props.client ?? createClient({ basePath }));
  const [queries] = useState(makeQueries);
  const endings = useSignedOut({ client, queries }, props.onSignedOut);
  const value = useMemo(
    () => ({ client, queries, settings: { basePath, passkeys, oidc, passwordMinLength }, endings }),
    [client, queries, basePath, passkeys, oidc, passwordMinLength, endings],
  );
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
    <LatchkeyContext value={value}>
      <ProofProvider>{children}</ProofProvider>
    </LatchkeyContext>
  );
}

/**
 * Checks the versions here: as peer dependencies they would keep apps with an older React from installing the
 * package, although only the cards need React. @throws if the app's React or TanStack Query is too old.
 */
function makeQueries(): QueryClient {
  if (Number.parseInt(version, 10) < 19)
    throw new Error(`latchkey/react needs React 19 or newer (found ${version}).`);
  const queries = new QueryClient({ defaultOptions: { queries: QUERY_DEFAULTS } });
  if ("getLogger" in queries) throw new Error("latchkey/react needs TanStack Query 5 or newer (found 4).");
  return queries;
}

/** When this device is logged out, clears the data and calls the listener. Returns how often it was. */
function useSignedOut(
  { client, queries }: { client: Client; queries: QueryClient },
  onSignedOut: ProviderProps["onSignedOut"],
): number {
  const [endings, setEndings] = useState(0);
  const listener = useRef(onSignedOut);
  useEffect(() => {
    listener.current = onSignedOut;
  }, [onSignedOut]);
  useEffect(() => {
    const goToLogin = () =>
      location.replace(`${client.basePath}/login?next=${encodeURIComponent(location.href)}`);
    return client.onSignedOut((ending) => {
      // The page may stay open, and the next person to log in may be somebody else.
      for (const query of queries.getQueryCache().getAll()) query.reset();
      setEndings((before) => before + 1);
      (listener.current ?? goToLogin)(ending);
    });
  }, [client, queries]);
  return endings;
}

const QUERY_DEFAULTS = {
  staleTime: 5_000,
  refetchOnWindowFocus: false,
  // Requests are made even if the browser says that it is offline: it is often wrong.
  networkMode: "always",
  // A refusal is final, unless it was for too many requests. A failed network is tried again.
  retry: (_failures: number, error: unknown) => !(error instanceof Refused) || isTooOften(error),
  retryDelay: (attempt: number, error: unknown) =>
    error instanceof Refused ? (error.facts.retryAfter ?? 60) * 1_000 : nextTry(attempt + 1, error),
} as const;

function isTooOften({ code }: Refused): boolean {
  return code === "too_many_attempts";
}
