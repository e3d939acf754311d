import { type ReactNode, useId, useState } from "react";
import { dayOf, type LoginMethod, relativeTime } from "../../client/index.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Button } from "../parts/button.tsx";
import { type Answer, Card, Stale, useStatus, Waiting } from "../parts/card.tsx";
import { ConfirmDialog, Dialog } from "../parts/dialog.tsx";
import { Field, Form, FormProblem, SubmitOrCancel, text, useAction } from "../parts/form.tsx";
import { OneSession } from "../parts/one-session.tsx";
import { makePasskey } from "../proof/passkeys.ts";
import { useProof, useResume } from "../proof/proof.tsx";
import { useGoToSite } from "../proof/sites.ts";
import { useClient, useLatchkey, useLoginMethods, useNow, useRefresh, useWho } from "../queries.ts";

/**
 * Every login method: password, passkeys, other sites. All except the last working one can be disconnected.
 * `answer`: the message to show when the person comes back from another site.
 */
export function LoginMethodsCard({ answer }: { answer?: Answer | undefined }) {
  const { endings } = useLatchkey();
  return (
    <OneSession>
      <LoginMethods answer={endings === 0 ? answer : undefined} />
    </OneSession>
  );
}

function LoginMethods({ answer }: { answer: Answer | undefined }) {
  const { settings } = useLatchkey();
  const reading = useLoginMethods();
  const methods = reading.data?.methods;
  const status = useStatus(answer);
  const connected = new Set(methods?.filter(({ kind }) => kind === "oidc").map(({ name }) => name));
  const providers = settings.oidc.filter(({ name }) => !connected.has(name));
  const canAdd = settings.passkeys || providers.length > 0;
  return (
    <Card
      id="login-methods"
      title="Login methods"
      words="The ways to log in to this account. The last one that works always stays."
      status={status}
    >
      {methods ? (
        // biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of a list without bullets.
        <ul className="lk-list" role="list">
          {methods.map((method) => (
            <MethodRow
              key={method.id}
              method={method}
              isOnly={methods.length === 1}
              canAdd={canAdd}
              isNeeded={reading.data?.needed.includes(method.id) ?? false}
              say={status.say}
            />
          ))}
        </ul>
      ) : (
        <>
          <Stale reading={reading} />
          <Waiting bones={["row"]} />
        </>
      )}
      {status.line}
      <div className="lk-actions">
        {settings.passkeys && <AddPasskey say={status.say} />}
        {providers.map(({ id, name }) => (
          <Connect key={id} id={id} name={name} />
        ))}
      </div>
    </Card>
  );
}

type RowProps = {
  method: LoginMethod;
  isOnly: boolean;
  canAdd: boolean;
  /** No other method works, so this one can't be disconnected. */
  isNeeded: boolean;
  say: (sentence: ReactNode) => void;
};

function MethodRow({ method, isOnly, canAdd, isNeeded, say }: RowProps) {
  const now = useNow();
  const why = useId();
  const { data: who } = useWho();
  const [dialog, setDialog] = useState<"remove" | "rename" | null>(null);
  useResume(`disconnect ${method.id}`, () => setDialog("remove"));
  return (
    // biome-ignore lint/a11y/noRedundantRoles: Safari drops the role of an item of a list without bullets.
    <li className="lk-row" role="listitem">
      <div className="lk-row-words">
        <p className="lk-label">
          <bdi>{method.name}</bdi>
        </p>
        <p className="lk-muted lk-facts">
          {method.kind === "passkey" && <span>Passkey</span>}{" "}
          <span>Added {dayOf(method.createdAt, now)}</span>{" "}
          {method.lastUsedAt && <span>last used: {relativeTime(method.lastUsedAt, now)}</span>}
        </p>
        {isNeeded && (
          <p className="lk-hint" id={why}>
            {isOnly
              ? `This is the only way to log in.${canAdd ? " Add another one to disconnect it." : ""}`
              : `This can't be disconnected: no other way to log in works on its own.${who?.account.emailVerified === false ? " A password will, once your email address is confirmed." : ""}`}
          </p>
        )}
      </div>
      <div className="lk-row-end">
        {method.kind === "passkey" && (
          <Button kind="small" aria-label={`Rename ${method.name}`} onClick={() => setDialog("rename")}>
            Rename
          </Button>
        )}
        <Button
          kind="small"
          aria-label={`Disconnect ${method.name}`}
          disabled={isNeeded}
          aria-describedby={isNeeded ? why : undefined}
          onClick={() => setDialog("remove")}
        >
          Disconnect
        </Button>
      </div>
      {dialog === "remove" && <Remove method={method} say={say} onClose={() => setDialog(null)} />}
      {dialog === "rename" && <Rename method={method} say={say} onClose={() => setDialog(null)} />}
    </li>
  );
}

function Remove({ method, say, onClose }: Pick<RowProps, "method" | "say"> & { onClose: () => void }) {
  const client = useClient();
  const refresh = useRefresh();
  const withProof = useProof();
  // A passkey often has a device's name, so the sentence has to say that only the passkey is disconnected.
  const name = <bdi>{method.name}</bdi>;
  const named = method.kind === "passkey" ? <>passkey “{name}”</> : name;
  const action = useAction(async () => {
    await withProof(`disconnect ${method.id}`, () => client.disconnect(method.id));
    say(
      <>
        {method.kind === "passkey" && "The "}
        {named} was disconnected.
      </>,
    );
    onClose();
    void refresh();
  });
  return (
    <ConfirmDialog
      title={<>Disconnect {named}</>}
      words="You can no longer log in with it. Other devices that logged in with it are logged out."
      action={action}
      confirm="Disconnect"
      onConfirm={() => void action.act()}
      onClose={onClose}
    />
  );
}

function Rename({ method, say, onClose }: Pick<RowProps, "method" | "say"> & { onClose: () => void }) {
  const client = useClient();
  const refresh = useRefresh();
  const action = useAction(async (form: FormData) => {
    const name = text(form, "name").trim();
    await client.renameMethod(method.id, name);
    say(
      <>
        Renamed to <bdi>{name}</bdi>.
      </>,
    );
    onClose();
    void refresh();
  });
  return (
    <Dialog title="Rename this passkey" onClose={onClose}>
      <Form action={action}>
        <Field
          label="Name"
          name="name"
          defaultValue={method.name}
          dir="auto"
          maxLength={64}
          autoComplete="off"
          problem={action.problem}
        />
        <FormProblem problem={action.problem} />
        <SubmitOrCancel working={action.working} onCancel={onClose}>
          Rename
        </SubmitOrCancel>
      </Form>
    </Dialog>
  );
}

function AddPasskey({ say }: { say: (sentence: ReactNode) => void }) {
  const client = useClient();
  const refresh = useRefresh();
  const withProof = useProof();
  const { data: who } = useWho();
  const action = useAction(async () => {
    const passkey = await makePasskey(await withProof("passkey", () => client.passkeyOptions()));
    await client.addPasskey({ passkey, name: who?.session.label ?? "Passkey" });
    say("The passkey was added.");
    void refresh();
  });
  useResume("passkey", () => void action.act());
  return <ActionButton action={action}>Add a passkey</ActionButton>;
}

function Connect({ id, name }: { id: string; name: string }) {
  const client = useClient();
  const withProof = useProof();
  const connect = `connect ${id}`;
  const action = useGoToSite(
    name,
    async () => (await withProof(connect, () => client.goToProvider(id, "connect"))).url,
  );
  useResume(connect, () => void action.act());
  return <ActionButton action={action}>Connect {name}</ActionButton>;
}
