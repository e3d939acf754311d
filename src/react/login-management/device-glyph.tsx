import { deviceShape } from "./device-shape.ts";

export function DeviceGlyph({ os }: { os: string | null }) {
  return (
    <svg className="lk-glyph" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path
        d={deviceShape(os)}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
