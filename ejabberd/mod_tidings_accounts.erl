%% IM accounts are made and ended by the web agent, by IQ to the users domain: <create-account/>, <remove-account/>
%% (packages/protocol/src/accounts.ts). Nobody else may.
-module(mod_tidings_accounts).

-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([decode_iq_subel/1, process_iq/1]).

-include("xmpp.hrl").
-include("logger.hrl").
-include("avatar_router.hrl").

-define(GROUP, <<"Tidings">>).

start(ServerHost, _Opts) ->
    gen_iq_handler:add_iq_handler(ejabberd_local, ServerHost, ?NS_BUS, ?MODULE, process_iq).

stop(ServerHost) ->
    gen_iq_handler:remove_iq_handler(ejabberd_local, ServerHost, ?NS_BUS).

reload(_ServerHost, _New, _Old) ->
    ok.

depends(_ServerHost, _Opts) ->
    [{mod_roster, hard}].

mod_opt_type(registrar) ->
    econf:domain().

mod_options(_ServerHost) ->
    [registrar].

mod_doc() ->
    #{}.

%% ejabberd's codec does not know our elements and would refuse them.
-spec decode_iq_subel(xmpp_element() | xmlel()) -> xmpp_element() | xmlel().
decode_iq_subel(Element) ->
    Element.

%% Takes the request only from the bare domain that is set as registrar.
-spec process_iq(iq()) -> iq().
process_iq(#iq{from = From, to = #jid{lserver = ServerHost}} = Iq) ->
    Registrar = gen_mod:get_module_opt(ServerHost, ?MODULE, registrar),
    case jid:tolower(From) of
        {<<>>, Registrar, <<>>} -> process(Iq, ServerHost);
        _ -> error_to(Iq, xmpp:err_forbidden(<<"accounts are made on the web page">>, <<"en">>))
    end.

process(#iq{type = set, sub_els = [#xmlel{name = <<"create-account">>, attrs = Attrs}]} = Iq, ServerHost) ->
    [Name, Password, Agent, Nick] = [fxml:get_attr_s(Key, Attrs) || Key <- [<<"name">>, <<"password">>, <<"agent">>, <<"nick">>]],
    case ejabberd_auth:try_register(Name, ServerHost, Password) of
        ok -> befriend(Iq, jid:make(Name, ServerHost), Agent, Nick);
        {error, exists} -> error_to(Iq, xmpp:err_conflict(<<"this account exists">>, <<"en">>));
        {error, Reason} -> unusable(Iq, Reason)
    end;
process(#iq{type = set, sub_els = [#xmlel{name = <<"remove-account">>, attrs = Attrs}]} = Iq, ServerHost) ->
    case jid:nodeprep(fxml:get_attr_s(<<"name">>, Attrs)) of
        Name when Name == error; Name == <<>> -> unusable(Iq, invalid_jid);
        Name -> remove(Iq, Name, ServerHost)
    end;
process(Iq, _ServerHost) ->
    error_to(Iq, xmpp:err_service_unavailable()).

%% The agent is in the roster before the account's first login, subscribed both ways: nobody is asked anything. When
%% this cannot be done the account goes too, so that the request may be repeated.
befriend(Iq, #jid{luser = Name, lserver = ServerHost} = Account, Agent, Nick) ->
    try
        Contact = #roster_item{jid = jid:decode(Agent), name = Nick, groups = [?GROUP], subscription = both},
        ok = mod_roster:set_item_and_notify_clients(Account, Contact, true),
        done(Iq)
    catch
        Class:Reason ->
            ?ERROR_MSG("the roster of a new account could not be filled: ~p ~p", [Class, Reason]),
            ejabberd_auth:remove_user(Name, ServerHost),
            unusable(Iq, Reason)
    end.

%% Roster, archive, stored messages and sessions go with the account: each module hears of it through remove_user.
remove(Iq, Name, ServerHost) ->
    case ejabberd_auth:remove_user(Name, ServerHost) of
        ok -> done(Iq);
        {error, Reason} -> unusable(Iq, Reason)
    end.

%% Mnesia's log lies in memory for up to two seconds; who is told that an account exists must find it after a crash.
done(Iq) ->
    ok = mnesia:sync_log(),
    xmpp:make_iq_result(Iq).

%% Without the request in it, which holds a password.
error_to(Iq, Error) ->
    xmpp:make_error(Iq#iq{sub_els = []}, Error).

unusable(Iq, {bad_jid, _}) ->
    error_to(Iq, xmpp:err_jid_malformed(<<"agent is no JID">>, <<"en">>));
unusable(Iq, Reason) when Reason == invalid_jid; Reason == invalid_password; Reason == not_allowed ->
    error_to(Iq, xmpp:err_bad_request(atom_to_binary(Reason), <<"en">>));
unusable(Iq, _Reason) ->
    error_to(Iq, xmpp:err_internal_server_error()).
