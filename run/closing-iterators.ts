/**
 * dynalite 4.0.0 ends a stream over LevelDB with `iterator.return()`, which iterators of abstract-level 3 do not have, and so closes
 * none: each query that it has answered keeps LevelDB's memory and files as they were then, 4 MB and more of them.
 */
import { AbstractKeyIterator, AbstractValueIterator } from "abstract-level";

/** Has `iterator.return()` close it. To be called before dynalite answers. */
export function giveIteratorsReturn(): void {
  for (const { prototype } of [AbstractKeyIterator, AbstractValueIterator])
    Object.defineProperty(prototype, "return", {
      value(this: { close(): Promise<void> }) {
        return this.close();
      },
    });
}
