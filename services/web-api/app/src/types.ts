/** What the interface answers with; /openapi.json has it all. */
export interface Problem {
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export interface List<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface Delivery {
  readonly destination: string;
  readonly channel: string;
  readonly state: string;
  readonly at: string;
  readonly reason: string;
}

export interface Item {
  readonly id: string;
  readonly source: string;
  readonly sourceTitle: string;
  readonly title: string;
  readonly link: string | null;
  readonly summary: string | null;
  readonly author: string | null;
  readonly publishedAt: string | null;
  readonly receivedAt: string;
  readonly categories?: readonly string[];
  readonly enclosures?: readonly {
    readonly url: string;
    readonly type: string | null;
    readonly bytes: number | null;
  }[];
  readonly options?: readonly { readonly id: string; readonly label: string; readonly input?: boolean }[];
  readonly sender?: { readonly address: string; readonly proven: boolean };
  readonly unsubscribe?: string;
  readonly state: string;
  readonly deliveries: readonly Delivery[];
}

export interface TraceStep {
  readonly at: string;
  readonly destination: string | null;
  readonly state: string | null;
  readonly what: string;
}

export interface TracedItem extends Item {
  readonly trace: readonly TraceStep[];
}

export interface Resource {
  readonly address: string;
  readonly resource: string;
  readonly show: string;
  readonly idleSince: string | null;
}

export interface Me {
  readonly name: string;
  readonly jid: string;
  readonly agent: string;
  readonly pausedUntil: string | null;
  readonly presence: readonly Resource[];
}

export interface Subscription {
  readonly id: string;
  readonly source: string;
  readonly title: string;
  readonly state: string;
  readonly problem: string | null;
  readonly priority: string;
  readonly filter: unknown;
  /** Of one that is read by itself. */
  readonly polls?: {
    readonly nextAt: string | null;
    readonly newestAt: string | null;
    readonly failures: number;
    readonly isPushed: boolean;
  } | null;
  readonly edits: boolean;
}

export interface Publisher {
  readonly id: string;
  readonly title: string;
  readonly url: string;
  readonly share: string | null;
}

export interface Inbox {
  readonly id: string;
  readonly title: string;
  readonly address: string;
}

export interface Destination {
  readonly id: string;
  readonly channel: string;
  readonly address: string;
  readonly state: string;
  readonly code: string | null;
  readonly problem: string | null;
  readonly howTo: string | null;
}

export interface Simulation {
  readonly priority: string;
  readonly rule: string | null;
  readonly decisions: readonly {
    readonly destination: string;
    readonly channel: string;
    readonly action: string;
    readonly reason: string;
  }[];
}

export interface Step {
  readonly to?: string;
  readonly destination?: string;
  readonly wait?: string;
  readonly unless?: string;
  readonly within?: string;
  readonly when?: { readonly presence?: readonly string[] };
}

export interface QuietHours {
  readonly from: string;
  readonly to: string;
  readonly days?: readonly string[];
}

export interface Rules {
  readonly zone: string;
  readonly ladders: Readonly<Record<string, readonly Step[]>>;
  readonly held: {
    readonly digest: { readonly at?: string; readonly every?: string; readonly to: string } | null;
  };
  readonly quietHours: readonly QuietHours[];
}

export interface Session {
  readonly id: string;
  readonly label: string;
  readonly createdAt: string;
  readonly isCurrent: boolean;
}

export interface Token {
  readonly id: string;
  readonly title: string;
  readonly scopes: readonly string[];
}
