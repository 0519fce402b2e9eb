/** The calls whose answer waits until a source has said how it is doing; the wait is not kept across a crash. */
import type { CallArgs } from "@tidings/protocol";
import { active } from "./account.ts";
import type { BaselineWaits } from "./baseline-waits.ts";
import type { CallContext } from "./calls.ts";
import { addInbox } from "./inboxes.ts";
import { remember } from "./operations.ts";
import { addPublisher } from "./publishers.ts";
import type { SubscriptionRow } from "./rows.ts";
import { subscribe, viewOf } from "./subscriptions.ts";

export type WaitingCallName = "subscribe" | "addPublisher" | "addInbox";

type WaitingCall<N extends WaitingCallName> = (
  context: CallContext,
  args: CallArgs<N>,
  /** The answer that a call with this operation id has had already. */
  earlier: unknown,
  waits: BaselineWaits,
) => void;

export const WAITING_CALLS: { readonly [N in WaitingCallName]: WaitingCall<N> } = {
  subscribe: ({ turn, core, call }, args, earlier, waits) => {
    const { created, row } = subscribe(turn, active(core), args);
    const wasCreated = (earlier as { created?: boolean } | undefined)?.created ?? created;
    remember(turn, call, { created: wasCreated });
    if (row.state === "active" || args.atOnce === true) {
      turn.onDurable(() => call.reply({ created: wasCreated, subscription: viewOf(turn, row) }));
      return;
    }
    waits.wait(row.source, viewOf(turn, row), (subscription) =>
      call.reply({ created: wasCreated, subscription }),
    );
  },

  addPublisher: (context, { title }, earlier, waits) =>
    opens(context, earlier, waits, () => {
      const { publisher, row } = addPublisher(context.turn, title);
      return { answer: publisher, row };
    }),

  addInbox: (context, { title }, earlier, waits) =>
    opens(context, earlier, waits, () => {
      const { inbox, row } = addInbox(context.turn, title);
      return { answer: inbox, row };
    }),
};

/** Opens a source and answers when it takes what comes. */
function opens(
  { turn, core, call }: CallContext,
  earlier: unknown,
  waits: BaselineWaits,
  open: () => { readonly answer: unknown; readonly row: SubscriptionRow },
): void {
  active(core);
  if (earlier !== undefined) {
    turn.onDurable(() => call.reply(earlier));
    return;
  }
  const { answer, row } = open();
  remember(turn, call, answer);
  waits.wait(row.source, viewOf(turn, row), () => call.reply(answer));
}

export function isWaitingCall(name: string): name is WaitingCallName {
  return Object.hasOwn(WAITING_CALLS, name);
}
