import type { Refusal } from "@tidings/agent";
import { refusalFor, statusIn } from "./mail-refusals.ts";

const MAX_CHARS = 20_000;

/**
 * What a delivery status (RFC 3464) says: the refusal when the message was given up; null when it was not, as in
 * `delayed`, or when nothing can be made of it. Status 5 is for good, status 4 may be tried again.
 */
export function bounceIn(deliveryStatus: readonly string[]): Refusal | null {
  for (const part of deliveryStatus) {
    const groups = part
      .slice(0, MAX_CHARS)
      .replace(/\r\n?/g, "\n")
      .replace(/\n[ \t]+/g, " ")
      .split(/\n\s*\n/);
    for (const group of groups) {
      if (field(group, "action")?.toLowerCase() !== "failed") continue;
      return refusalFor(statusIn(field(group, "status") ?? "") ?? "5.0.0");
    }
  }
  return null;
}

function field(group: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "im").exec(group)?.[1];
}
