%% What the modules of the avatar router share.

-define(NS_BUS, <<"urn:tidings:bus:1">>).
-define(NS_JSON, <<"urn:xmpp:json:0">>).

%% Number of shards of a silo; packages/protocol/src/addresses.ts says the same.
-define(SHARDS, 64).

%% One row per shard. Written by its process, read by whoever routes or sends a stanza.
-define(SHARD_TABLE, avatar_shards).
-record(row, {key :: {Silo :: binary(), Number :: 0..63},
              shard :: pid(),
              owner :: pid() | undefined,
              phase :: unowned | claimed | serving,
              epoch :: non_neg_integer(),
              host :: binary(),
              spooled :: non_neg_integer(),
              %% Something came for it that no owner has taken.
              awaited = false :: boolean()}).
