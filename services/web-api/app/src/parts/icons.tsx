/** A few line icons on a 24 px grid, drawn for this page. */
const PATHS = {
  stream: "M4 6h16M4 12h16M4 18h10",
  sources: "M5 19a1 1 0 1 0 0-2 1 1 0 0 0 0 2M4 11a9 9 0 0 1 9 9M4 4a16 16 0 0 1 16 16",
  ways: "M4 5h16v11H9l-5 4z",
  rules: "M6 3v6m0 0a3 3 0 0 0 0 6v6M18 3v12m0 0a3 3 0 0 1 0 6",
  operations: "M4 20V10M10 20V4M16 20v-7M20 20H3",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c1-5 4-7 8-7s7 2 8 7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
