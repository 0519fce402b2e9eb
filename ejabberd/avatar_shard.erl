%% One shard of a silo: who owns it, and what waits for an owner.
%%
%%     unowned ──claim──▶ claimed ──ready──▶ serving
%%        ▲                  │                  │
%%        └──unclaim, or the owner's connection is gone
%%
%% unowned  messages are spooled, the monitor is woken
%% claimed  messages are spooled; the owner may already send, and hears the answers to what it sends
%% serving  everything is forwarded to the owner
%%
%% A claim with a higher epoch deposes the owner at any time. What was forwarded in the last seconds to an owner that
%% died or was deposed is spooled again in front: it may arrive twice, and receivers drop what they have had.
-module(avatar_shard).

-behaviour(gen_server).

-export([start_link/2, step/4]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-include("xmpp.hrl").
-include("avatar_router.hrl").

-define(SPOOL_STANZAS, 10000).
-define(SPOOL_BYTES, 32 * 1024 * 1024).
-define(RECENT_STANZAS, 1000).
-define(RECENT_BYTES, 2 * 1024 * 1024).
-define(RECENT_MS, 10000).
-define(WAKE_MS, 1000).

-record(shard, {key, jid, epoch, host, phase = unowned, owner, monitor, spool, recent, wake, expiry}).

-spec start_link(binary(), 0..63) -> {ok, pid()}.
start_link(Silo, Number) ->
    gen_server:start_link(?MODULE, {Silo, Number}, []).

%% A step of a claim, asked for by the component at the connection Owner in Iq, which is answered to that connection.
-spec step(pid(), claim | ready | unclaim, pid(), {iq(), pos_integer()}) -> ok.
step(Shard, Step, Owner, {Iq, Epoch}) ->
    Shard ! {Step, Owner, Iq, Epoch},
    ok.

init({Silo, Number} = Key) ->
    process_flag(message_queue_data, off_heap),
    {Epoch, Host} = avatar_epochs:read(Key),
    Shard = #shard{key = Key, jid = jid:make(<<"_", (integer_to_binary(Number))/binary>>, Silo),
                   epoch = Epoch, host = Host, spool = new_spool(), recent = new_recent()},
    {ok, publish(resume(Shard, ets:lookup(?SHARD_TABLE, Key)))}.

handle_call(_Request, _From, Shard) ->
    {reply, {error, unknown}, Shard}.

handle_cast(_Message, Shard) ->
    {noreply, Shard}.

handle_info({route, Stanza}, Shard) ->
    {noreply, route(Stanza, Shard)};
handle_info({claim, Owner, Iq, Epoch}, Shard) ->
    {noreply, claim(Owner, Iq, Epoch, Shard)};
handle_info({ready, Owner, Iq, Epoch}, Shard) ->
    {noreply, ready(Owner, Iq, Epoch, Shard)};
handle_info({unclaim, Owner, Iq, Epoch}, Shard) ->
    {noreply, unclaim(Owner, Iq, Epoch, Shard)};
handle_info({'DOWN', Monitor, process, _, _}, #shard{monitor = Monitor} = Shard) ->
    {noreply, wake_for_spool(publish(respool(disowned(Shard))))};
handle_info(wake, Shard) ->
    {noreply, wake(Shard#shard{wake = undefined})};
handle_info(expire, Shard) ->
    {noreply, expire(Shard#shard{expiry = undefined})};
handle_info(_Message, Shard) ->
    {noreply, Shard}.

%% This process was restarted: its owner knows nothing of that and keeps the shard.
resume(Shard, [#row{owner = Owner, phase = Phase}]) when is_pid(Owner) ->
    Shard#shard{owner = Owner, monitor = monitor(process, Owner), phase = Phase};
resume(Shard, _) ->
    Shard.

%%% Stanzas to the shard

route(Stanza, #shard{phase = serving} = Shard) ->
    forward(Stanza, Shard);
route(#message{type = error} = Stanza, Shard) ->
    answer(Stanza, Shard);
route(#message{} = Stanza, Shard) ->
    spool(Stanza, Shard);
route(#iq{type = Type} = Stanza, Shard) when Type == get; Type == set ->
    bounce(Stanza, xmpp:err_recipient_unavailable(<<"the avatar's host is starting; try again">>, <<"en">>)),
    wake(Shard);
route(#iq{} = Stanza, Shard) ->
    answer(Stanza, Shard);
route(_Presence, Shard) ->
    Shard.

%% Answers to what the owner has sent are its own matter, also before it serves; without an owner nobody waits for them.
answer(_Stanza, #shard{phase = unowned} = Shard) ->
    Shard;
answer(Stanza, #shard{phase = claimed} = Shard) ->
    forward(Stanza, Shard).

forward(Stanza, #shard{owner = Owner} = Shard) ->
    Owner ! {route, Stanza},
    avatar_counters:count(forwarded),
    remember(Stanza, Shard).

%% Only messages are spooled again: an IQ's sender waits for its answer and asks again, presence is renewed.
remember(#message{type = Type} = Stanza, #shard{recent = Recent} = Shard) when Type /= error ->
    NowMs = now_ms(),
    Kept = avatar_spool:push(Stanza, NowMs, avatar_spool:expire(NowMs - ?RECENT_MS, Recent)),
    expire_later(Shard#shard{recent = Kept});
remember(_Stanza, Shard) ->
    Shard.

spool(Stanza, #shard{spool = Spool} = Shard) ->
    case avatar_spool:add(Stanza, now_ms(), Spool) of
        {ok, Added} ->
            avatar_counters:count(spooled),
            wake(publish(Shard#shard{spool = Added}));
        full ->
            bounce(Stanza, xmpp:err_resource_constraint(<<"too much waits for this shard; try again">>, <<"en">>)),
            wake(Shard)
    end.

bounce(Stanza, Error) ->
    avatar_counters:count(bounced),
    ejabberd_router:route_error(Stanza, Error).

%%% Claims

claim(Owner, Iq, Epoch, #shard{epoch = Highest} = Shard) when Epoch > Highest ->
    grant(Owner, Iq, Epoch, Shard);
claim(Owner, Iq, Epoch, #shard{epoch = Epoch, owner = Owner} = Shard) ->
    reply(Owner, xmpp:make_iq_result(Iq)),
    Shard;
claim(Owner, #iq{from = #jid{lserver = Host}} = Iq, Epoch, #shard{epoch = Epoch, host = Host} = Shard) ->
    %% The same host on a new connection, after ejabberd's restart or when its old connection is dead without our
    %% having noticed.
    grant(Owner, Iq, Epoch, Shard);
claim(Owner, Iq, _Epoch, Shard) ->
    refuse(Owner, Iq, Shard).

grant(Owner, #iq{from = #jid{lserver = Host}} = Iq, Epoch, #shard{key = Key} = Shard) ->
    case avatar_epochs:store(Key, Epoch, Host) of
        ok ->
            avatar_counters:count(claims),
            Deposed = depose(Owner, Epoch, Shard),
            reply(Owner, xmpp:make_iq_result(Iq)),
            publish(Deposed#shard{owner = Owner, monitor = monitor(process, Owner), phase = claimed,
                                  epoch = Epoch, host = Host});
        {error, _} ->
            reply(Owner, xmpp:make_error(Iq, xmpp:err_internal_server_error(<<"the epoch cannot be stored">>, <<"en">>))),
            Shard
    end.

depose(_Owner, _Epoch, #shard{owner = undefined} = Shard) ->
    Shard;
depose(Owner, _Epoch, #shard{owner = Owner} = Shard) ->
    disowned(Shard);
depose(_Owner, Epoch, #shard{owner = Deposed, jid = Jid, host = Host} = Shard) ->
    Deposed ! {route, #message{type = normal, from = Jid, to = jid:make(Host),
                               sub_els = [bus_element(<<"revoked">>, [{<<"epoch">>, integer_to_binary(Epoch)}])]}},
    respool(disowned(Shard)).

ready(Owner, Iq, Epoch, #shard{owner = Owner, epoch = Epoch, spool = Spool} = Shard) ->
    reply(Owner, xmpp:make_iq_result(Iq)),
    Serving = Shard#shard{phase = serving, spool = new_spool()},
    publish(lists:foldl(fun forward/2, Serving, avatar_spool:to_list(Spool)));
ready(Owner, Iq, _Epoch, Shard) ->
    refuse(Owner, Iq, Shard).

unclaim(Owner, Iq, Epoch, #shard{owner = Owner, epoch = Epoch} = Shard) ->
    reply(Owner, xmpp:make_iq_result(Iq)),
    wake_for_spool(publish((disowned(Shard))#shard{recent = new_recent()}));
unclaim(Owner, #iq{from = #jid{lserver = Host}} = Iq, Epoch, #shard{owner = undefined, epoch = Epoch, host = Host} = Shard) ->
    reply(Owner, xmpp:make_iq_result(Iq)),
    Shard;
unclaim(Owner, Iq, _Epoch, Shard) ->
    refuse(Owner, Iq, Shard).

refuse(Owner, Iq, #shard{epoch = Highest} = Shard) ->
    avatar_counters:count(refused_claims),
    Text = <<"epoch ", (integer_to_binary(Highest))/binary, " owns this shard">>,
    Refusal = xmpp:make_error(Iq, xmpp:err_conflict(Text, <<"en">>)),
    Stale = bus_element(<<"stale">>, [{<<"epoch">>, integer_to_binary(Highest)}]),
    reply(Owner, xmpp:set_els(Refusal, xmpp:get_els(Refusal) ++ [Stale])),
    Shard.

reply(Owner, Stanza) ->
    Owner ! {route, Stanza}.

disowned(#shard{monitor = Monitor} = Shard) ->
    demonitor(Monitor, [flush]),
    Shard#shard{owner = undefined, monitor = undefined, phase = unowned}.

respool(#shard{recent = Recent, spool = Spool} = Shard) ->
    Fresh = avatar_spool:expire(now_ms() - ?RECENT_MS, Recent),
    [avatar_counters:count(respooled) || _ <- avatar_spool:to_list(Fresh)],
    Shard#shard{spool = avatar_spool:join(Fresh, Spool), recent = new_recent()}.

%%% Signals

wake_for_spool(#shard{spool = Spool} = Shard) ->
    case avatar_spool:count(Spool) of
        0 -> Shard;
        _ -> wake(Shard)
    end.

%% Tells the monitor now, and every second until somebody claims the shard.
wake(#shard{phase = unowned, wake = undefined, jid = Jid, key = {_, Number}, spool = Spool} = Shard) ->
    #{monitor := Monitor} = persistent_term:get(mod_avatar_router),
    Wake = bus_element(<<"wake">>, [{<<"shard">>, integer_to_binary(Number)},
                                {<<"spooled">>, integer_to_binary(avatar_spool:count(Spool))}]),
    %% Without a connected monitor the router would take its domain for a stranger's server and dial out.
    case ejabberd_router:is_my_route(Monitor) of
        true ->
            avatar_counters:count(wakes),
            ejabberd_router:route(#message{type = normal, from = Jid, to = jid:make(Monitor), sub_els = [Wake]});
        false ->
            ok
    end,
    publish(Shard#shard{wake = erlang:send_after(?WAKE_MS, self(), wake)});
wake(Shard) ->
    Shard.

expire(#shard{recent = Recent} = Shard) ->
    expire_later(Shard#shard{recent = avatar_spool:expire(now_ms() - ?RECENT_MS, Recent)}).

%% A shard that has gone quiet gives the memory of its last messages back.
expire_later(#shard{recent = Recent, expiry = undefined} = Shard) ->
    case avatar_spool:count(Recent) of
        0 -> Shard;
        _ -> Shard#shard{expiry = erlang:send_after(?RECENT_MS, self(), expire)}
    end;
expire_later(Shard) ->
    Shard.

publish(#shard{key = Key, owner = Owner, phase = Phase, epoch = Epoch, host = Host, spool = Spool, wake = Wake} = Shard) ->
    ets:insert(?SHARD_TABLE, #row{key = Key, shard = self(), owner = Owner, phase = Phase, epoch = Epoch, host = Host,
                                  spooled = avatar_spool:count(Spool),
                                  awaited = Phase == unowned andalso Wake /= undefined}),
    Shard.

bus_element(Name, Attributes) ->
    #xmlel{name = Name, attrs = [{<<"xmlns">>, ?NS_BUS} | Attributes]}.

new_spool() ->
    avatar_spool:new(?SPOOL_STANZAS, ?SPOOL_BYTES).

new_recent() ->
    avatar_spool:new(?RECENT_STANZAS, ?RECENT_BYTES).

now_ms() ->
    erlang:monotonic_time(millisecond).
