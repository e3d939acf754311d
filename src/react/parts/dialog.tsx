import { type ReactNode, useEffect, useId, useRef } from "react";
import { ownLanguage } from "../../client/times.ts";
import { Button } from "./button.tsx";
import { giveFocusBack } from "./focus.ts";
import { type Action, FormProblem } from "./form.tsx";
import { useInBrowser } from "./in-browser.ts";

type DialogProps = {
  title: ReactNode;
  /** What the dialog asks; screen readers read it out with the title. */
  words?: ReactNode;
  children: ReactNode;
  /** Called on Escape or by a button; the caller then removes the dialog. */
  onClose: () => void;
  /** An `alertdialog` first focuses its field; without a field, the button that changes nothing. */
  role?: "dialog" | "alertdialog";
};

/** A native modal `<dialog>`: it keeps the focus inside, and returns it afterwards. */
export function Dialog({ title, words, children, onClose, role = "dialog" }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const language = useInBrowser(ownLanguage, undefined);
  useEffect(() => {
    const node = dialog.current;
    const card = node?.closest(".lk-card") ?? null;
    const opener = document.activeElement;
    node?.showModal();
    if (role === "alertdialog") node?.querySelector<HTMLElement>("input, .lk-quiet")?.focus();
    return () => {
      // Closed first: while the dialog is open, nothing else can get the focus.
      node?.close();
      giveFocusBack(opener, card);
    };
  }, [role]);
  return (
    <dialog
      {...language}
      ref={dialog}
      className="lk-dialog"
      role={role}
      aria-labelledby={`${id}-title`}
      aria-describedby={words === undefined ? undefined : `${id}-words`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={`${id}-title`}>{title}</h2>
      {words !== undefined && <p id={`${id}-words`}>{words}</p>}
      {children}
    </dialog>
  );
}

type ConfirmDialogProps = {
  title: ReactNode;
  words: ReactNode;
  action: Pick<Action<[]>, "working" | "problem">;
  /** The label of the confirming button. */
  confirm: string;
  kind?: "main" | "danger";
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks for confirmation; the focus starts on Cancel. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, words, action, confirm, kind = "danger", onConfirm, onClose } = props;
  return (
    <Dialog role="alertdialog" title={title} words={words} onClose={onClose}>
      <FormProblem problem={action.problem} />
      <div className="lk-actions">
        <Button kind={kind} working={action.working} onClick={onConfirm}>
          {confirm}
        </Button>
        <Button kind="quiet" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </Dialog>
  );
}
