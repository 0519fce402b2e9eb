import { createHash, timingSafeEqual } from "node:crypto";

/** Whether `shown` is the secret `wanted`, in the same time whatever was shown. */
export function isSameSecret(shown: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(shown), digest(wanted));
}
