import type { ButtonHTMLAttributes } from "react";

export type ButtonKind = "main" | "plain" | "quiet" | "danger" | "small";

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className"> & {
  kind?: ButtonKind;
  /** As wide as its card. */
  wide?: boolean;
  /** What it began is under way. */
  working?: boolean;
  /** The step of the card that it opens; the focus comes back here after it. */
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
