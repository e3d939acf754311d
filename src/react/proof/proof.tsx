import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import { PROOF_HOLDS } from "../../client/clock.ts";
import { Refused } from "../../client/index.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Cancelled, Form, FormProblem, Submit, useAction } from "../parts/form.tsx";
import { useInBrowser } from "../parts/in-browser.ts";
import { useSecondFactor } from "../parts/second-factor-field.tsx";
import { CurrentPasswordField, currentPassword } from "../parts/typed-fields.tsx";
import { useClient, useLatchkey, useWho } from "../queries.ts";
import { answerWithPasskey, canUsePasskeys } from "./passkeys.ts";
import { useGoToSite } from "./sites.ts";

/**
 * Calls `work`, after a proof if one is needed. `name` tells what to resume when the person comes back from a
 * proof at another site. `firstGiven`: `work` sends the current password, so only the second factor can be
 * missing.
 */
type WithProof = <Answer>(
  name: string,
  work: () => Promise<Answer>,
  given?: { firstGiven: boolean },
) => Promise<Answer>;

type Proving = {
  withProof: WithProof;
  /** Whether the page left for another site to prove this; true only once. */
  resume: (name: string) => boolean;
};

const Context = createContext<Proving>({ withProof: (_name, work) => work(), resume: () => false });

type Needed = { name: string; methods: readonly string[]; firstGiven: boolean };
type Asked = Needed & { proved: () => void; cancelled: () => void };

/** Shown when an action is resumed after a proof at another site. */
export const THANKS = "Thank you, that was you. You won't be asked again for 10 minutes.";

/** The storage key for the name of the unfinished action while the page is away. Nothing typed is stored. */
const LEFT = "latchkey:left-to-prove";

/** Asks for a proof when the server needs one, then continues what the person was doing. */
export function ProofProvider({ children }: { children: ReactNode }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [left] = useState(readLeft);
  const [cameAt] = useState(Date.now);
  const waiting = useRef(left);
  const ask = useRef(
    (needed: Needed) =>
      new Promise<void>((resolve, reject) => {
        const close = (then: () => void) => () => {
          setAsked(null);
          then();
        };
        setAsked({ ...needed, proved: close(resolve), cancelled: close(() => reject(new Cancelled())) });
      }),
  );
  const proving = useMemo<Proving>(
    () => ({
      async withProof(name, work, given) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof Refused) || error.code !== "proof_needed") throw error;
          // A person who has just come back from a proof at another site gave the first factor there.
          const isProved = left !== null && Date.now() - cameAt < PROOF_HOLDS;
          const firstGiven = given?.firstGiven || isProved;
          await ask.current({ name, methods: error.facts.methods ?? [], firstGiven });
          return work();
        }
      },
      resume(name) {
        const isIt = waiting.current === name;
        if (isIt) waiting.current = null;
        return isIt;
      },
    }),
    [left, cameAt],
  );
  useCancelAtEnding(asked);
  return (
    <Context value={proving}>
      {children}
      {asked && <ProofDialog {...asked} />}
    </Context>
  );
}

/** Closes the dialog when the session has ended: there is nothing to prove any more. */
function useCancelAtEnding(asked: Asked | null): void {
  const { endings } = useLatchkey();
  const before = useRef(endings);
  useEffect(() => {
    if (before.current === endings) return;
    before.current = endings;
    asked?.cancelled();
  }, [endings, asked]);
}

/** The action for which the page left for another site; null if the person came back without a proof. */
function readLeft(): string | null {
  // The page may be rendered on a server.
  if (typeof sessionStorage === "undefined") return null;
  const name = sessionStorage.getItem(LEFT);
  sessionStorage.removeItem(LEFT);
  return new URLSearchParams(location.search).has("proved") ? name : null;
}

export function useProof(): WithProof {
  return useContext(Context).withProof;
}

/** Resumes what a person was doing when the page left for a proof at another site. */
export function useResume(name: string, goOn: () => void): void {
  const { resume } = useContext(Context);
  const latest = useRef(goOn);
  latest.current = goOn;
  useEffect(() => {
    if (resume(name)) latest.current();
  }, [name, resume]);
}

const ELSEWHERE = "This browser can't use passkeys. Go on in one that can.";

function ProofDialog({ name, methods, firstGiven, proved, cancelled }: Asked) {
  const client = useClient();
  const { settings } = useLatchkey();
  const { data: who } = useWho();
  const hasTwoFactor = who?.account.twoFactor ?? false;
  const [onlyCode, setOnlyCode] = useState(firstGiven && hasTwoFactor);
  const byPasskey = useAction(async () => {
    const passkey = await answerWithPasskey(await client.passkeySignInOptions());
    // If the authenticator didn't verify the user, the passkey is one factor, and the code is still needed.
    if (await proves(client.prove({ passkey }), "wrong_code")) proved();
    else setOnlyCode(true);
  });
  const providers = settings.oidc.filter(({ id }) => methods.includes(`oidc:${id}`));
  const asksPassword = methods.includes("password") && !onlyCode;
  const asksPasskey = methods.includes("passkey") && !onlyCode;
  const knowsPasskeys = useInBrowser(canUsePasskeys, true);
  return (
    <Dialog
      title="Confirm it's you"
      words={
        onlyCode
          ? "This also needs the code from your authenticator app."
          : "This changes how your account is protected, so it needs one more proof."
      }
      onClose={cancelled}
    >
      {methods.length === 0 && <p>Log out and log in again: for 10 minutes after that you won't be asked.</p>}
      {asksPasskey && !knowsPasskeys && methods.length === 1 && <p>{ELSEWHERE}</p>}
      {(asksPassword || onlyCode) && (
        <ProofForm
          key={String(onlyCode)}
          asksPassword={asksPassword}
          asksCode={hasTwoFactor}
          proved={proved}
          onTooLate={() => setOnlyCode(false)}
        />
      )}
      <FormProblem problem={byPasskey.problem} />
      <div className="lk-actions">
        {asksPasskey && knowsPasskeys && (
          <Button working={byPasskey.working} onClick={() => void byPasskey.act()}>
            Use a passkey
          </Button>
        )}
        {!onlyCode && providers.map((provider) => <ProveAt key={provider.id} {...provider} begun={name} />)}
        <Button kind="quiet" onClick={cancelled}>
          Cancel
        </Button>
      </div>
    </Dialog>
  );
}

type ProofFormProps = {
  asksPassword: boolean;
  asksCode: boolean;
  proved: () => void;
  /** The first factor was given too long ago, so a code alone is no longer enough. */
  onTooLate: () => void;
};

function ProofForm({ asksPassword, asksCode, proved, onTooLate }: ProofFormProps) {
  const client = useClient();
  const factor = useSecondFactor();
  const action = useAction(async (form: FormData) => {
    const second = asksCode ? factor.of(form) : {};
    if (await proves(client.prove({ ...currentPassword(form), ...second }), "proof_needed")) proved();
    else onTooLate();
  });
  const { problem } = action;
  return (
    <Form action={action}>
      {asksPassword && <CurrentPasswordField problem={problem} />}
      {asksCode && factor.field(action, !asksPassword)}
      {asksCode && factor.change(action)}
      <FormProblem problem={problem} fields={["currentPassword", ...(asksCode ? ["code"] : [])]} />
      <Submit working={action.working}>Confirm</Submit>
    </Form>
  );
}

/** Whether a proof was enough; false if refused with the code `butFor`, which tells what else is needed. */
async function proves(proof: Promise<void>, butFor: string): Promise<boolean> {
  try {
    await proof;
    return true;
  } catch (error) {
    if (error instanceof Refused && error.code === butFor) return false;
    throw error;
  }
}

/** `begun` names what the person was doing; it is resumed when the page is back. */
function ProveAt({ id, name, begun }: { id: string; name: string; begun: string }) {
  const client = useClient();
  const leaving = useGoToSite(name, async () => {
    const { url } = await client.goToProvider(id, "prove");
    sessionStorage.setItem(LEFT, begun);
    return url;
  });
  return <ActionButton action={leaving}>Continue with {name}</ActionButton>;
}
