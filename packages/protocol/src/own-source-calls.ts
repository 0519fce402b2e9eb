/** The calls about what a user owns and others bring things to: publishers and inboxes. A part of {@link CALLS}, see calls.ts. */
import Type from "typebox";
import { InboxView } from "./inbound-mail.ts";
import { PublisherStanding, PublisherView } from "./publishing.ts";

const Id = Type.String({ minLength: 1, maxLength: 100 });
const None = Type.Object({}, { additionalProperties: false });
const Title = Type.String({ minLength: 1, maxLength: 200 });

export const OWN_SOURCE_CALLS = {
  /**
   * Makes a publisher, and subscribes its owner to it. The answer waits until its source takes what is published, at most
   * 10 s.
   */
  addPublisher: {
    args: Type.Object({ title: Title }),
    result: PublisherView,
    may: "user",
    changes: true,
  },
  publishers: {
    args: None,
    result: Type.Object({ items: Type.Array(PublisherView) }),
    may: "user",
    changes: false,
  },
  /** Nothing more can be published with its token. */
  removePublisher: { args: Type.Object({ id: Id }), result: None, may: "user", changes: true },
  /** Others can subscribe to it with the token that the answer has; the same as before when it is shared already. */
  sharePublisher: { args: Type.Object({ id: Id }), result: PublisherView, may: "user", changes: true },
  /** Its token is good for nothing any more, and those who have subscribed with it hear no more. */
  unsharePublisher: { args: Type.Object({ id: Id }), result: PublisherView, may: "user", changes: true },
  /** Makes an address for mail, and subscribes its owner to it; as `addPublisher`. */
  addInbox: { args: Type.Object({ title: Title }), result: InboxView, may: "user", changes: true },
  inboxes: {
    args: None,
    result: Type.Object({ items: Type.Array(InboxView) }),
    may: "user",
    changes: false,
  },
  /** No mail is taken at its address any more. */
  removeInbox: { args: Type.Object({ id: Id }), result: None, may: "user", changes: true },
  /** To the source avatar of a publisher or an inbox, by web-api or ingest-email: whether it takes what comes. */
  publisherStanding: {
    args: None,
    result: Type.Object({ standing: PublisherStanding }),
    may: "service",
    changes: false,
  },
} as const;
