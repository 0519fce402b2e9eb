%% Keeps on disk, for each shard, the highest epoch that was ever granted and the host that it was granted to.
%%
%% A restart of ejabberd must not give a deposed host its shard back, so a claim is answered only after its epoch is in
%% the file. The file is in Mnesia's folder. When it cannot be read the router does not start.
-module(avatar_epochs).

-behaviour(gen_server).

-export([start_link/0, read/1, store/3]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

-define(FILE_NAME, "avatar_epochs.dets").

-spec start_link() -> {ok, pid()} | {error, term()}.
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

%% The highest epoch of the shard Key and its host; {0, <<>>} when it was never claimed.
-spec read({binary(), non_neg_integer()}) -> {non_neg_integer(), binary()}.
read(Key) ->
    gen_server:call(?MODULE, {read, Key}).

%% Returns after the epoch is on disk.
-spec store({binary(), non_neg_integer()}, pos_integer(), binary()) -> ok | {error, term()}.
store(Key, Epoch, Host) ->
    gen_server:call(?MODULE, {store, Key, Epoch, Host}).

init([]) ->
    process_flag(trap_exit, true),
    File = filename:join(mnesia:system_info(directory), ?FILE_NAME),
    case dets:open_file(?MODULE, [{file, File}, {auto_save, 1000}]) of
        {ok, ?MODULE} -> {ok, undefined};
        {error, Reason} -> {stop, {File, Reason}}
    end.

handle_call({read, Key}, _From, State) ->
    case dets:lookup(?MODULE, Key) of
        [{Key, Epoch, Host}] -> {reply, {Epoch, Host}, State};
        [] -> {reply, {0, <<>>}, State}
    end;
handle_call({store, Key, Epoch, Host}, _From, State) ->
    Reply = case dets:insert(?MODULE, {Key, Epoch, Host}) of
                ok -> dets:sync(?MODULE);
                Error -> Error
            end,
    {reply, Reply, State}.

handle_cast(_Message, State) ->
    {noreply, State}.

handle_info(_Message, State) ->
    {noreply, State}.

terminate(_Reason, _State) ->
    dets:close(?MODULE).
