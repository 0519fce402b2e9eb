/** A play whose fault did not happen proves nothing: throws when `hasStruck` is false, with what should have been seen. */
export function mustHaveStruck(hasStruck: boolean, fault: string): void {
  if (!hasStruck) throw new Error(`the fault did not strike: ${fault}`);
}
