%% What the avatar router has counted since its start, and the states of its shards, as JSON.
-module(avatar_counters).

-export([new/0, count/1, json/1]).

-include("avatar_router.hrl").

-define(NAMES, [claims, refused_claims, forbidden_out, forbidden_in, spooled, bounced, forwarded, wakes, respooled]).

%% A counter for each name; kept by the router's settings.
-spec new() -> counters:counters_ref().
new() ->
    counters:new(length(?NAMES), [write_concurrency]).

-spec count(atom()) -> ok.
count(Name) ->
    #{counters := Counters} = persistent_term:get(mod_avatar_router),
    counters:add(Counters, index(Name), 1).

%% {"claims":1,…,"shards":[{"shard":0,"state":"serving","epoch":3,"host":"h1.hosts…","spooled":0,"isAwaited":false},…]} for Silo.
-spec json(binary()) -> binary().
json(Silo) ->
    #{counters := Counters} = persistent_term:get(mod_avatar_router),
    Counted = [[quoted(atom_to_binary(Name)), $:, integer_to_binary(counters:get(Counters, index(Name)))] || Name <- ?NAMES],
    Rows = lists:keysort(#row.key, ets:match_object(?SHARD_TABLE, #row{key = {Silo, '_'}, _ = '_'})),
    Shards = [<<"\"shards\":[">>, lists:join($,, [shard(Row) || Row <- Rows]), $]],
    iolist_to_binary([${, lists:join($,, Counted ++ [Shards]), $}]).

shard(#row{key = {_, Number}, phase = Phase, epoch = Epoch, host = Host, spooled = Spooled, awaited = Awaited}) ->
    [<<"{\"shard\":">>, integer_to_binary(Number), <<",\"state\":">>, quoted(atom_to_binary(Phase)),
     <<",\"epoch\":">>, integer_to_binary(Epoch), <<",\"host\":">>, quoted(Host),
     <<",\"spooled\":">>, integer_to_binary(Spooled),
     <<",\"isAwaited\":">>, atom_to_binary(Awaited), $}].

%% Names and domains only: nothing in them needs escaping.
quoted(Text) ->
    [$", Text, $"].

index(claims) -> 1;
index(refused_claims) -> 2;
index(forbidden_out) -> 3;
index(forbidden_in) -> 4;
index(spooled) -> 5;
index(bounced) -> 6;
index(forwarded) -> 7;
index(wakes) -> 8;
index(respooled) -> 9.
