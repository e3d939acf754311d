import { type ReactNode, useEffect, useId, useRef } from "react";

type DialogProps = {
  title: string;
  children: ReactNode;
  /** Closed by Escape or by a button; the caller takes it off the page. */
  onClose: () => void;
  role?: "dialog" | "alertdialog";
};

/** The platform's own modal: it holds the focus, and gives it back where it was. */
export function Dialog({ title, children, onClose, role = "dialog" }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className="lk-dialog"
      role={role}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-words`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={`${id}-title`}>{title}</h2>
      <div id={`${id}-words`}>{children}</div>
    </dialog>
  );
}
