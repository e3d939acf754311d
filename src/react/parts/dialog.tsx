import { type ReactNode, useEffect, useId, useRef } from "react";
import { ownLanguage } from "../../client/times.ts";
import { Button } from "./button.tsx";
import { giveFocusBack } from "./focus.ts";
import { type Action, FormProblem } from "./form.tsx";
import { useInBrowser } from "./in-browser.ts";

type DialogProps = {
  title: ReactNode;
  /** What it asks, read out with the title. */
  words?: ReactNode;
  children: ReactNode;
  /** Closed by Escape or by a button; the caller takes it off the page. */
  onClose: () => void;
  /** An `alertdialog` begins at its field; without one, at what changes nothing. */
  role?: "dialog" | "alertdialog";
};

/** The platform's own modal: it holds the focus, and gives it back where it was. */
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
      // While it is open, nothing else takes the focus.
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
  /** What the button says that does it. */
  confirm: string;
  kind?: "main" | "danger";
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks once more before something happens; Cancel has the focus. */
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
