import type { ButtonHTMLAttributes } from "react";

export type ButtonKind = "main" | "plain" | "quiet" | "danger" | "small";

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className"> & {
  kind?: ButtonKind;
  /** As wide as its card. */
  wide?: boolean;
  /** Whether the action that it started is still running. */
  working?: boolean;
  /** The step of the card that the button opens; after that step, the focus returns to the button. */
  opens?: string;
};

export function Button({
  kind = "plain",
  wide = false,
  working = false,
  opens,
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      className={`lk-button lk-${kind}${wide ? " lk-wide" : ""}`}
      data-working={working || undefined}
      data-opens={opens}
      {...rest}
    />
  );
}
