%% Owns the silo domains of the avatar bus: maps a localpart to its shard and the shard to the host that has claimed it.
%%
%% What comes in (route/1) is taken from known domains only and handed to the shard's process. What components send
%% (component_sent/1) is checked in the component's own process: a host speaks for itself and for the shards it owns,
%% every other component for itself alone. The README beside this file has the protocol.
-module(mod_avatar_router).

-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([route/1, component_sent/1, shard_number/1]).

-include("xmpp.hrl").
-include("logger.hrl").
-include("avatar_router.hrl").

%% Beyond this a JavaScript number is no longer exact.
-define(MAX_EPOCH, 9007199254740991).

%%% gen_mod

start(ServerHost, Opts) ->
    persistent_term:put(?MODULE, (settings(Opts))#{counters => avatar_counters:new()}),
    Supervisor = #{id => ?MODULE, type => supervisor, shutdown => infinity,
                   start => {avatar_router_sup, start_link, [ServerHost, gen_mod:get_opt(silos, Opts)]}},
    case supervisor:start_child(ejabberd_gen_mod_sup, Supervisor) of
        {ok, _} -> ejabberd_hooks:add(component_send_packet, ?MODULE, component_sent, 50);
        {error, Reason} -> {error, Reason}
    end.

%% The check of what components send goes last: while it has no table it lets nothing pass.
stop(_ServerHost) ->
    _ = supervisor:terminate_child(ejabberd_gen_mod_sup, ?MODULE),
    _ = supervisor:delete_child(ejabberd_gen_mod_sup, ?MODULE),
    ejabberd_hooks:delete(component_send_packet, ?MODULE, component_sent, 50).

reload(ServerHost, New, Old) ->
    case gen_mod:get_opt(silos, New) == gen_mod:get_opt(silos, Old) of
        true ->
            #{counters := Counters} = persistent_term:get(?MODULE),
            persistent_term:put(?MODULE, (settings(New))#{counters => Counters}),
            ok;
        false ->
            stop(ServerHost),
            start(ServerHost, New)
    end.

depends(_ServerHost, _Opts) ->
    [].

mod_opt_type(silos) -> econf:list(econf:domain());
mod_opt_type(hosts) -> econf:domain();
mod_opt_type(monitor) -> econf:domain();
mod_opt_type(allowed) -> econf:list(econf:domain());
mod_opt_type(operators) -> econf:list(econf:domain()).

mod_options(_ServerHost) ->
    [silos, hosts, monitor, {allowed, []}, {operators, []}].

mod_doc() ->
    #{}.

settings(Opts) ->
    Silos = gen_mod:get_opt(silos, Opts),
    Monitor = gen_mod:get_opt(monitor, Opts),
    Known = [Monitor | Silos] ++ gen_mod:get_opt(allowed, Opts),
    #{silos => maps:from_keys(Silos, true),
      hosts => <<".", (gen_mod:get_opt(hosts, Opts))/binary>>,
      monitor => Monitor,
      known => maps:from_keys(Known, true),
      operators => maps:from_keys([Monitor | gen_mod:get_opt(operators, Opts)], true)}.

%%% What comes in

%% Runs in the process of whoever sends.
-spec route(stanza()) -> ok.
route(Stanza) ->
    #jid{lserver = Sender} = xmpp:get_from(Stanza),
    case is_known(Sender) of
        true -> route_known(Stanza, xmpp:get_to(Stanza));
        false -> refuse(Stanza, forbidden_in, xmpp:err_forbidden(<<"this domain is for the avatars and their agents">>, <<"en">>))
    end.

route_known(#iq{type = get} = Iq, #jid{luser = <<>>}) ->
    case {child(Iq), may_read_counters(Iq)} of
        {#xmlel{name = <<"counters">>}, true} -> ejabberd_router:route(counters_result(Iq));
        {#xmlel{name = <<"counters">>}, false} -> refuse(Iq, forbidden_in, xmpp:err_forbidden());
        _ -> refuse(Iq, bounced, xmpp:err_service_unavailable())
    end;
route_known(Stanza, #jid{luser = <<>>}) ->
    refuse(Stanza, bounced, xmpp:err_service_unavailable());
route_known(Stanza, #jid{luser = Localpart, lserver = Silo}) ->
    Shard = ets:lookup_element(?SHARD_TABLE, {Silo, shard_number(Localpart)}, #row.shard),
    Shard ! {route, Stanza},
    ok.

%% Presence and errors are never answered (RFC 6120 §8.3.1, RFC 6121 §4).
refuse(#presence{}, Counter, _Error) ->
    avatar_counters:count(Counter);
refuse(Stanza, Counter, Error) ->
    avatar_counters:count(Counter),
    ejabberd_router:route_error(Stanza, Error).

counters_result(#iq{to = #jid{lserver = Silo}} = Iq) ->
    Json = #xmlel{name = <<"json">>, attrs = [{<<"xmlns">>, ?NS_JSON}],
                  children = [{xmlcdata, avatar_counters:json(Silo)}]},
    xmpp:make_iq_result(Iq, #xmlel{name = <<"counters">>, attrs = [{<<"xmlns">>, ?NS_BUS}], children = [Json]}).

%%% What components send

%% Hook, in the component's own process. A crash here would let the stanza pass (ejabberd goes on with the value that
%% it had), so it is caught and the stanza dropped.
component_sent({drop, State}) ->
    {drop, State};
component_sent({Stanza, State}) ->
    try verdict(Stanza, State) of
        pass -> {Stanza, State};
        {step, Step, Shard, Iq} ->
            avatar_shard:step(Shard, Step, self(), Iq),
            {drop, State};
        {error, Error} -> deny(Stanza, Error, State)
    catch
        Class:Reason:Stack ->
            ?ERROR_MSG("a stanza of a component could not be checked: ~p ~p ~p", [Class, Reason, Stack]),
            {drop, State}
    end.

verdict(Stanza, #{remote_server := Own}) ->
    #jid{luser = Localpart, lserver = Domain} = xmpp:get_from(Stanza),
    case Domain of
        Own -> own_verdict(Stanza, Own);
        _ -> shard_verdict({Domain, shard_number(Localpart)}, Localpart)
    end.

own_verdict(#iq{type = set, to = #jid{luser = Localpart, lserver = Silo}} = Iq, Own) ->
    case {step(child(Iq)), is_silo(Silo), named_shard(Localpart)} of
        {none, _, _} -> pass;
        {_, false, _} -> pass;
        {_, true, none} -> {error, xmpp:err_bad_request(<<"a claim goes to a shard's own address">>, <<"en">>)};
        {bad_epoch, true, _} -> {error, xmpp:err_bad_request(<<"epoch is no whole number above 0">>, <<"en">>)};
        {{Step, Epoch}, true, Number} -> step_verdict(Step, Epoch, {Silo, Number}, Iq, Own)
    end;
own_verdict(_Stanza, _Own) ->
    pass.

step_verdict(Step, Epoch, Key, Iq, Own) ->
    case is_host(Own) of
        true -> {step, Step, ets:lookup_element(?SHARD_TABLE, Key, #row.shard), {Iq, Epoch}};
        false -> {error, xmpp:err_forbidden(<<"only an avatar host claims a shard">>, <<"en">>)}
    end.

shard_verdict(_Key, <<>>) ->
    {error, xmpp:err_forbidden(<<"nobody speaks for this domain">>, <<"en">>)};
shard_verdict(Key, _Localpart) ->
    case ets:lookup(?SHARD_TABLE, Key) of
        [#row{owner = Owner}] when Owner == self() -> pass;
        _ -> {error, xmpp:err_forbidden(<<"this connection does not own the sender's shard">>, <<"en">>)}
    end.

deny(Stanza, Error, State) ->
    avatar_counters:count(forbidden_out),
    case xmpp:get_type(Stanza) of
        Type when Type == error; Type == result -> ok;
        _ -> self() ! {route, xmpp:make_error(Stanza, Error)}
    end,
    {drop, State}.

step(#xmlel{name = <<"claim">>, attrs = Attrs}) -> with_epoch(claim, Attrs);
step(#xmlel{name = <<"ready">>, attrs = Attrs}) -> with_epoch(ready, Attrs);
step(#xmlel{name = <<"unclaim">>, attrs = Attrs}) -> with_epoch(unclaim, Attrs);
step(_) -> none.

with_epoch(Step, Attrs) ->
    try binary_to_integer(fxml:get_attr_s(<<"epoch">>, Attrs)) of
        Epoch when Epoch > 0, Epoch =< ?MAX_EPOCH -> {Step, Epoch};
        _ -> bad_epoch
    catch
        error:badarg -> bad_epoch
    end.

%%% Addresses

%% The shard of an avatar; _17 names shard 17 itself. packages/protocol/src/addresses.ts computes the same.
-spec shard_number(binary()) -> 0..63.
shard_number(Localpart) ->
    case named_shard(Localpart) of
        none -> erlang:crc32(Localpart) rem ?SHARDS;
        Number -> Number
    end.

named_shard(<<"_", D>>) when D >= $0, D =< $9 ->
    D - $0;
named_shard(<<"_", D1, D2>>) when D1 >= $0, D1 =< $9, D2 >= $0, D2 =< $9, (D1 - $0) * 10 + D2 - $0 < ?SHARDS ->
    (D1 - $0) * 10 + D2 - $0;
named_shard(_) ->
    none.

is_known(Domain) ->
    #{known := Known} = persistent_term:get(?MODULE),
    maps:is_key(Domain, Known) orelse is_host(Domain).

is_silo(Domain) ->
    #{silos := Silos} = persistent_term:get(?MODULE),
    maps:is_key(Domain, Silos).

is_host(Domain) ->
    #{hosts := Suffix} = persistent_term:get(?MODULE),
    Length = byte_size(Domain) - byte_size(Suffix),
    Length > 0 andalso binary:part(Domain, Length, byte_size(Suffix)) == Suffix.

may_read_counters(Iq) ->
    #{operators := Operators} = persistent_term:get(?MODULE),
    #jid{lserver = Domain} = xmpp:get_from(Iq),
    maps:is_key(Domain, Operators) orelse is_host(Domain).

%% The first child in the project's namespace.
child(Stanza) ->
    case [Element || #xmlel{attrs = Attrs} = Element <- xmpp:get_els(Stanza),
                     fxml:get_attr_s(<<"xmlns">>, Attrs) == ?NS_BUS] of
        [Element | _] -> Element;
        [] -> none
    end.
