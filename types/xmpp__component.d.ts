/** What Tidings uses of @xmpp/component 0.13.1, which comes without types. */
declare module "@xmpp/component" {
  import type { EventEmitter } from "node:events";
  import type { Socket } from "node:net";
  import type { Element } from "@xmpp/xml";

  export interface ComponentOptions {
    /** Such as `xmpp://127.0.0.1:5347`. */
    readonly service: string;
    /** The domain under which the component is reached. */
    readonly domain: string;
    readonly password: string;
  }

  export interface Component extends EventEmitter {
    /** Time limit for each step of opening and closing (milliseconds). */
    timeout: number;
    readonly jid: { toString(): string } | null;
    readonly socket: Socket | null;
    readonly parser: { write(text: string): void } | null;
    readonly reconnect: { stop(): void };
    connect(service: string): Promise<unknown>;
    open(options: { domain: string }): Promise<Element>;
  }

  export function component(options: ComponentOptions): Component;
}
