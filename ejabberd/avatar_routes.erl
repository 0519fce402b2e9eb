%% Holds the routes of the silos as long as it lives: ejabberd's router then calls mod_avatar_router:route/1 in the
%% process of whoever sends, so that no single process sees all of a silo's traffic.
-module(avatar_routes).

-behaviour(gen_server).

-export([start_link/2]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

-spec start_link(binary(), [binary()]) -> {ok, pid()}.
start_link(ServerHost, Silos) ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, {ServerHost, Silos}, []).

init({ServerHost, Silos}) ->
    process_flag(trap_exit, true),
    [ejabberd_router:register_route(Silo, ServerHost, {apply, mod_avatar_router, route}) || Silo <- Silos],
    {ok, Silos}.

handle_call(_Request, _From, Silos) ->
    {reply, {error, unknown}, Silos}.

handle_cast(_Message, Silos) ->
    {noreply, Silos}.

%% A stanza that was on its way here when the routes changed.
handle_info({route, Stanza}, Silos) ->
    mod_avatar_router:route(Stanza),
    {noreply, Silos};
handle_info(_Message, Silos) ->
    {noreply, Silos}.

terminate(_Reason, Silos) ->
    [ejabberd_router:unregister_route(Silo) || Silo <- Silos].
