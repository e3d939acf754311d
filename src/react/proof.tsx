import { createContext, type ReactNode, useContext, useMemo, useRef, useState } from "react";
import { Refused } from "../client/index.ts";
import { Dialog } from "./dialog.tsx";
import { Cancelled, Form, FormProblem, PasswordField, Submit, text, useAction } from "./form.tsx";
import { answerWithPasskey } from "./passkeys.ts";
import { useClient, useLatchkey } from "./provider.tsx";

type WithProof = <Answer>(work: () => Promise<Answer>) => Promise<Answer>;

const Context = createContext<WithProof>((work) => work());

type Asked = { methods: readonly string[]; proved: () => void; cancelled: () => void };

/** Asks "is it still you?" where the server wants to know, then goes on with what the person was doing. */
export function ProofProvider({ children }: { children: ReactNode }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const ask = useRef(
    (methods: readonly string[]) =>
      new Promise<void>((resolve, reject) => {
        const close = (then: () => void) => () => {
          setAsked(null);
          then();
        };
        setAsked({ methods, proved: close(resolve), cancelled: close(() => reject(new Cancelled())) });
      }),
  );
  const withProof = useMemo<WithProof>(
    () => async (work) => {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Refused) || error.code !== "proof_needed") throw error;
        await ask.current(error.facts.methods ?? []);
        return work();
      }
    },
    [],
  );
  return (
    <Context value={withProof}>
      {children}
      {asked && <ProofDialog {...asked} />}
    </Context>
  );
}

export function useProof(): WithProof {
  return useContext(Context);
}

function ProofDialog({ methods, proved, cancelled }: Asked) {
  const client = useClient();
  const { settings } = useLatchkey();
  const byPassword = useAction(async (form: FormData) => {
    await client.prove({ currentPassword: text(form, "currentPassword") });
    proved();
  });
  const byPasskey = useAction(async () => {
    await client.prove({ passkey: await answerWithPasskey(await client.passkeySignInOptions()) });
    proved();
  });
  const byProvider = useAction(async (provider: string) => {
    location.assign((await client.goToProvider(provider, "prove")).url);
  });
  const providers = settings.oidc.filter(({ id }) => methods.includes(`oidc:${id}`));
  const { problem } = byPassword;
  return (
    <Dialog title="Confirm it's you" onClose={cancelled}>
      <p>This changes how your account is protected, so it needs one more proof.</p>
      {methods.includes("password") && (
        <Form action={byPassword}>
          <PasswordField
            label="Current password"
            name="currentPassword"
            autoComplete="current-password"
            problem={problem}
          />
          <FormProblem problem={problem} fields={["currentPassword"]} />
          <Submit working={byPassword.working}>Confirm</Submit>
        </Form>
      )}
      <FormProblem problem={byPasskey.problem ?? byProvider.problem} />
      <div className="lk-actions">
        {methods.includes("passkey") && (
          <button type="button" className="lk-button lk-plain" onClick={() => void byPasskey.act()}>
            Use a passkey
          </button>
        )}
        {providers.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            className="lk-button lk-plain"
            onClick={() => void byProvider.act(id)}
          >
            Continue with {name}
          </button>
        ))}
        <button type="button" className="lk-button lk-quiet" onClick={cancelled}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}
