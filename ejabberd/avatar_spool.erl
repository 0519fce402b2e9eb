%% A bounded first-in-first-out queue of stanzas that knows its size in bytes and the age of each entry. Pure.
-module(avatar_spool).

-export([new/2, add/3, push/3, expire/2, join/2, to_list/1, count/1]).
-export_type([spool/0]).

-record(spool, {entries = queue:new() :: queue:queue({integer(), pos_integer(), term()}),
                count = 0 :: non_neg_integer(),
                bytes = 0 :: non_neg_integer(),
                max_count :: pos_integer(),
                max_bytes :: pos_integer()}).
-opaque spool() :: #spool{}.

-spec new(pos_integer(), pos_integer()) -> spool().
new(MaxCount, MaxBytes) ->
    #spool{max_count = MaxCount, max_bytes = MaxBytes}.

%% Adds Stanza at the end, or says that the spool is full.
-spec add(term(), integer(), spool()) -> {ok, spool()} | full.
add(Stanza, AtMs, Spool) ->
    Added = append(Stanza, AtMs, Spool),
    case is_over(Added) of
        true -> full;
        false -> {ok, Added}
    end.

%% Adds Stanza at the end and drops the oldest entries beyond the bounds.
-spec push(term(), integer(), spool()) -> spool().
push(Stanza, AtMs, Spool) ->
    trim(append(Stanza, AtMs, Spool)).

%% Drops the entries that are older than SinceMs.
-spec expire(integer(), spool()) -> spool().
expire(SinceMs, #spool{entries = Entries} = Spool) ->
    case queue:peek(Entries) of
        {value, {AtMs, _, _}} when AtMs < SinceMs -> expire(SinceMs, drop_oldest(Spool));
        _ -> Spool
    end.

%% Back with the entries of Front before its own. The bounds do not hold here: Front is itself bounded, and what has
%% been accepted once is not given up for being put back.
-spec join(spool(), spool()) -> spool().
join(Front, Back) ->
    Back#spool{entries = queue:join(Front#spool.entries, Back#spool.entries),
               count = Front#spool.count + Back#spool.count,
               bytes = Front#spool.bytes + Back#spool.bytes}.

%% The stanzas, oldest first.
-spec to_list(spool()) -> [term()].
to_list(#spool{entries = Entries}) ->
    [Stanza || {_, _, Stanza} <- queue:to_list(Entries)].

-spec count(spool()) -> non_neg_integer().
count(#spool{count = Count}) ->
    Count.

append(Stanza, AtMs, #spool{entries = Entries, count = Count, bytes = Bytes} = Spool) ->
    %% The size as the external term format would have it: near the stanza's size as XML, and far cheaper to know.
    Size = erlang:external_size(Stanza),
    Spool#spool{entries = queue:in({AtMs, Size, Stanza}, Entries), count = Count + 1, bytes = Bytes + Size}.

trim(Spool) ->
    case is_over(Spool) of
        true -> trim(drop_oldest(Spool));
        false -> Spool
    end.

is_over(#spool{count = Count, bytes = Bytes, max_count = MaxCount, max_bytes = MaxBytes}) ->
    Count > MaxCount orelse Bytes > MaxBytes.

drop_oldest(#spool{entries = Entries, count = Count, bytes = Bytes} = Spool) ->
    {{value, {_, Size, _}}, Rest} = queue:out(Entries),
    Spool#spool{entries = Rest, count = Count - 1, bytes = Bytes - Size}.
