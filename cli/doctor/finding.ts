/** What a check of `tidings doctor` has found. */
export interface Finding {
  readonly name: string;
  /** `skipped`: it says nothing about this installation, or could not be made for the reason that is given. */
  readonly state: "good" | "bad" | "skipped";
  /** What was found, in a sentence. */
  readonly found: string;
  /** What to do; null: nothing. */
  readonly advice: string | null;
}

export const good = (name: string, found: string): Finding => ({ name, state: "good", found, advice: null });
export const bad = (name: string, found: string, advice: string): Finding => ({
  name,
  state: "bad",
  found,
  advice,
});
export const skipped = (name: string, found: string): Finding => ({
  name,
  state: "skipped",
  found,
  advice: null,
});

/** The finding of `check`; of one that fails without saying why, that. Never rejects. */
export async function findingOf(
  name: string,
  check: () => Promise<Finding>,
  advice: string,
): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    return bad(name, (error as Error).message, advice);
  }
}
