/**
 * A part of the stream that is drawn for itself: of thousands of notifications only those parts are looked at again in which
 * something has changed, and the browser lays out only those near to what is seen.
 */
import { Component } from "preact";
import { go } from "../router.ts";
import { ItemRow } from "./item.tsx";
import type { Part } from "./parts-of.ts";

interface Props extends Part {
  /** Id of the one that is open, and the place of the one that the keys are at, where they are in this part. */
  readonly opened: string | null;
  readonly current: number | null;
}

export class Block extends Component<Props> {
  override shouldComponentUpdate({ items, opened, current, from }: Props): boolean {
    const { props } = this;
    // Where the part begins matters to nothing but the keys.
    if (opened !== props.opened || current !== props.current || (current !== null && from !== props.from))
      return true;
    return items.length !== props.items.length || items.some((item, at) => item !== props.items[at]);
  }

  override render({ items, from, opened, current }: Props) {
    return (
      <ul class="stream" aria-label={from === 0 ? "Notifications" : "Earlier notifications"}>
        {items.map((item, at) => (
          <ItemRow
            key={item.id}
            item={item}
            isOpen={item.id === opened}
            isCurrent={from + at === current}
            toggle={() => go(item.id === opened ? "/" : `/stream/${item.id}`)}
          />
        ))}
      </ul>
    );
  }
}
