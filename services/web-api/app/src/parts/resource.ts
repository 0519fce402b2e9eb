/** A list of the interface, read when it is shown and again after a change. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, sentenceOf } from "../api.ts";
import type { List } from "../types.ts";

export interface Listed<T> {
  /** Null until it was read. */
  readonly items: Signal<readonly T[] | null>;
  readonly trouble: Signal<string | null>;
  readonly read: () => Promise<void>;
}

/** The list at `path`; it is read again when one of `when` has changed. */
export function useList<T>(path: string, ...when: readonly unknown[]): Listed<T> {
  const items = useSignal<readonly T[] | null>(null);
  const trouble = useSignal<string | null>(null);
  const read = async () => {
    try {
      items.value = (await api<List<T>>("GET", path)).items;
      trouble.value = null;
    } catch (error) {
      trouble.value = sentenceOf(error);
    }
  };
  useEffect(() => void read(), [path, ...when]);
  return { items, trouble, read };
}
