%% Supervises the shards of the silos that this node owns. It also holds their table, so that a shard which is started
%% again finds who owns it.
-module(avatar_router_sup).

-behaviour(supervisor).

-export([start_link/2]).
-export([init/1]).

-include("avatar_router.hrl").

-spec start_link(binary(), [binary()]) -> {ok, pid()} | {error, term()}.
start_link(ServerHost, Silos) ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, {ServerHost, Silos}).

init({ServerHost, Silos}) ->
    ?SHARD_TABLE = ets:new(?SHARD_TABLE, [named_table, public, {keypos, #row.key}, {read_concurrency, true}]),
    Epochs = #{id => avatar_epochs, start => {avatar_epochs, start_link, []}},
    Shards = [#{id => {Silo, Number}, start => {avatar_shard, start_link, [Silo, Number]}}
              || Silo <- Silos, Number <- lists:seq(0, ?SHARDS - 1)],
    Routes = #{id => avatar_routes, start => {avatar_routes, start_link, [ServerHost, Silos]}},
    {ok, {#{strategy => one_for_one, intensity => 20, period => 10}, [Epochs] ++ Shards ++ [Routes]}}.
