import { useState } from "react";
import { Button } from "../parts/button.tsx";
import { Card } from "../parts/card.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Form, FormProblem, SubmitOrCancel, useAction } from "../parts/form.tsx";
import { OneSession } from "../parts/one-session.tsx";
import { CurrentPasswordField, currentPassword } from "../parts/typed-fields.tsx";
import { useProof, useResume } from "../proof/proof.tsx";
import { useClient, useHasPassword, useWho } from "../queries.ts";

/** Deletes the account, after a confirmation. `onDeleted` should take the person to another page. */
export function DeleteAccountCard({ onDeleted }: { onDeleted: () => void }) {
  return (
    <OneSession>
      <DeleteAccount onDeleted={onDeleted} />
    </OneSession>
  );
}

function DeleteAccount({ onDeleted }: { onDeleted: () => void }) {
  const [asking, setAsking] = useState(false);
  useResume("delete-account", () => setAsking(true));
  return (
    <Card
      id="delete-account"
      title="Delete account"
      words="Deletes your account and everything that belongs to it."
    >
      <div className="lk-actions">
        <Button onClick={() => setAsking(true)}>Delete account…</Button>
      </div>
      {asking && <AskOnce onDeleted={onDeleted} onClose={() => setAsking(false)} />}
    </Card>
  );
}

function AskOnce({ onDeleted, onClose }: { onDeleted: () => void; onClose: () => void }) {
  const client = useClient();
  const withProof = useProof();
  const { data: who } = useWho();
  const hasPassword = useHasPassword();
  const action = useAction(async (form: FormData) => {
    await withProof("delete-account", () => client.deleteAccount(currentPassword(form)), {
      firstGiven: hasPassword,
    });
    onDeleted();
  });
  return (
    <Dialog
      role="alertdialog"
      title="Delete your account"
      words={
        <>
          This deletes the account <bdi className="lk-address">{who?.account.email}</bdi>, its login methods
          and its history, and logs out every device. It can't be undone.
        </>
      }
      onClose={onClose}
    >
      <Form action={action}>
        {hasPassword && <CurrentPasswordField problem={action.problem} />}
        <FormProblem problem={action.problem} fields={["currentPassword"]} />
        <SubmitOrCancel kind="danger" working={action.working} onCancel={onClose}>
          Delete account
        </SubmitOrCancel>
      </Form>
    </Dialog>
  );
}
