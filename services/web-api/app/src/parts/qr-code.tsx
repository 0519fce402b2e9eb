/** A QR code (ISO/IEC 18004) of a text, for a telephone to read. */
import { encode } from "uqr";

/** Light modules around the code, as its readers need them. */
const BORDER = 2;

export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { data, size } = encode(text, { border: BORDER });
  const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={size} height={size} class="light" />
      <path d={dark.join("")} class="dark" />
    </svg>
  );
}
