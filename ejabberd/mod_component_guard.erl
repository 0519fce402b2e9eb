%% What ejabberd's component listener does not check by itself:
%%
%% - A component speaks for its own domain only. The listener's check_from admits every domain that the listener lists,
%%   so that one agent could forge another's. (check_from: false here where another module checks the senders.)
%% - Of two connections with one domain the newer one stays: ejabberd would keep both and split the traffic at random,
%%   and a dead connection that nobody has noticed would swallow its half.
%% - Servers outside the installation reach the public components only.
-module(mod_component_guard).

-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([component_sent/1, component_connected/1, server_sent/1]).

-include("xmpp.hrl").
-include("logger.hrl").
-include("ejabberd_router.hrl").

-define(CLOSE_MS, 1000).

start(ServerHost, Opts) ->
    persistent_term:put(?MODULE, settings(Opts)),
    %% First of all, so that no other module sees a forged stanza.
    ejabberd_hooks:add(component_send_packet, ?MODULE, component_sent, 10),
    ejabberd_hooks:add(component_connected, ?MODULE, component_connected, 50),
    ejabberd_hooks:add(s2s_receive_packet, ServerHost, ?MODULE, server_sent, 10).

stop(ServerHost) ->
    ejabberd_hooks:delete(component_send_packet, ?MODULE, component_sent, 10),
    ejabberd_hooks:delete(component_connected, ?MODULE, component_connected, 50),
    ejabberd_hooks:delete(s2s_receive_packet, ServerHost, ?MODULE, server_sent, 10).

reload(_ServerHost, New, _Old) ->
    persistent_term:put(?MODULE, settings(New)).

depends(_ServerHost, _Opts) ->
    [].

mod_opt_type(check_from) -> econf:bool();
mod_opt_type(public) -> econf:list(econf:domain());
mod_opt_type(installation) -> econf:domain().

mod_options(_ServerHost) ->
    [installation, {check_from, true}, {public, []}].

mod_doc() ->
    #{}.

settings(Opts) ->
    #{installation => gen_mod:get_opt(installation, Opts),
      check_from => gen_mod:get_opt(check_from, Opts),
      public => maps:from_keys(gen_mod:get_opt(public, Opts), true)}.

%% Hook, in the component's process. ejabberd goes on with the stanza when a hook crashes: hence the catch.
component_sent({drop, State}) ->
    {drop, State};
component_sent({Stanza, State}) ->
    try speaks_for_itself(Stanza, State) of
        true -> {Stanza, State};
        false -> deny(Stanza, State)
    catch
        Class:Reason ->
            ?ERROR_MSG("a stanza of a component could not be checked: ~p ~p", [Class, Reason]),
            {drop, State}
    end.

speaks_for_itself(Stanza, #{remote_server := Own}) ->
    #{check_from := IsChecked} = persistent_term:get(?MODULE),
    #jid{lserver = Domain} = xmpp:get_from(Stanza),
    not IsChecked orelse Domain == Own.

deny(Stanza, State) ->
    case xmpp:get_type(Stanza) of
        Type when Type == error; Type == result -> ok;
        _ -> self() ! {route, xmpp:make_error(Stanza, xmpp:err_forbidden(<<"a component speaks for itself alone">>, <<"en">>))}
    end,
    {drop, State}.

%% Hook, in the process of the new connection, after it has its route.
component_connected(Domain) ->
    Router = ejabberd_router:get_backend(),
    {ok, Routes} = Router:find_routes(Domain),
    [spawn(fun() -> close(Pid) end) || #route{pid = Pid} <- Routes, is_pid(Pid), Pid /= self(), is_connection(Pid)],
    ok.

%% A connection that hangs in its socket does not hear us and is killed; its route goes with it.
close(Pid) ->
    Monitor = monitor(process, Pid),
    ejabberd_service:send(Pid, xmpp:serr_conflict(<<"a newer connection has this domain">>, <<"en">>)),
    ejabberd_service:stop_async(Pid),
    receive
        {'DOWN', Monitor, process, _, _} -> ok
    after ?CLOSE_MS ->
        exit(Pid, kill)
    end.

%% Never anything but a component's connection of this node, whatever else may have registered the domain.
is_connection(Pid) ->
    node(Pid) == node() andalso
        lists:any(fun({_, Child, _, _}) -> Child == Pid end, supervisor:which_children(ejabberd_service_sup)).

%% Hook, in the process of the other server's connection, which has proved the sender's domain.
server_sent({drop, State}) ->
    {drop, State};
server_sent({Stanza, State}) ->
    try may_reach(xmpp:get_from(Stanza), xmpp:get_to(Stanza)) of
        true -> {Stanza, State};
        false ->
            ejabberd_router:route_error(Stanza, xmpp:err_forbidden(<<"this address is not public">>, <<"en">>)),
            {drop, State}
    catch
        Class:Reason ->
            ?ERROR_MSG("a stanza of another server could not be checked: ~p ~p", [Class, Reason]),
            {drop, State}
    end.

may_reach(#jid{lserver = Sender}, #jid{lserver = Receiver}) ->
    #{installation := Installation, public := Public} = persistent_term:get(?MODULE),
    maps:is_key(Receiver, Public) orelse is_within(Sender, Installation).

is_within(Domain, Domain) ->
    true;
is_within(Domain, Base) ->
    Suffix = <<".", Base/binary>>,
    Length = byte_size(Domain) - byte_size(Suffix),
    Length > 0 andalso binary:part(Domain, Length, byte_size(Suffix)) == Suffix.
