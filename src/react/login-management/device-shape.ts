const SHAPES = {
  laptop: "M4 5.5A1.5 1.5 0 0 1 5.5 4h13A1.5 1.5 0 0 1 20 5.5V15H4V5.5ZM2 18h20l-1 2H3l-1-2Z",
  phone:
    "M8.5 2.5h7A1.5 1.5 0 0 1 17 4v16a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 7 20V4a1.5 1.5 0 0 1 1.5-1.5ZM10.5 18.5h3",
  unknown:
    "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM9.7 9.5a2.4 2.4 0 1 1 3.3 2.3c-.7.3-1 .8-1 1.5v.4M12 16.5v.1",
};

/** The icon for a kind of device, as an SVG path on 24 × 24. */
export function deviceShape(os: string | null): string {
  if (os === null) return SHAPES.unknown;
  return ["Android", "iOS"].includes(os) ? SHAPES.phone : SHAPES.laptop;
}
