import { useState } from "react";
import { Card } from "../parts/card.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Form, FormProblem, PasswordField, Submit, text, useAction } from "../parts/form.tsx";
import { useProof, useTakeUp } from "../proof/proof.tsx";
import { useClient, useHasPassword, useWho } from "../queries.ts";

/** The last card, and a quiet one. `onDeleted` leaves the page. */
export function DeleteAccountCard({ onDeleted }: { onDeleted: () => void }) {
  const [asking, setAsking] = useState(false);
  useTakeUp("delete-account", () => setAsking(true));
  return (
    <Card id="delete-account" title="Delete account" words="Deletes your account and all that belongs to it.">
      <div className="lk-actions">
        <button type="button" className="lk-button lk-plain" onClick={() => setAsking(true)}>
          Delete account…
        </button>
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
    const proof = hasPassword ? { currentPassword: text(form, "currentPassword") } : {};
    await withProof("delete-account", () => client.deleteAccount(proof), { firstGiven: hasPassword });
    onDeleted();
  });
  return (
    <Dialog
      role="alertdialog"
      title="Delete your account"
      words={
        <>
          The account <bdi className="lk-address">{who?.account.email}</bdi>, its login methods and its
          history are deleted now, and every device is logged out. There is no way back.
        </>
      }
      onClose={onClose}
    >
      <Form action={action}>
        {hasPassword && (
          <PasswordField
            label="Current password"
            name="currentPassword"
            autoComplete="current-password"
            problem={action.problem}
          />
        )}
        <FormProblem problem={action.problem} fields={["currentPassword"]} />
        <div className="lk-actions">
          <Submit kind="danger" working={action.working}>
            Delete account
          </Submit>
          <button type="button" className="lk-button lk-quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </Form>
    </Dialog>
  );
}
