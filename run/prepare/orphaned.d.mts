/** Calls `act` when npm, which started this process, has died without a word (SIGKILL): nobody could stop us any more. */
export function onOrphaned(act: () => void, env?: { readonly npm_lifecycle_event?: string }): void;
