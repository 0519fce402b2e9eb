%% Ends this node when the process that started it is gone: that process holds the other end of standard input, and the
%% operating system closes it however the process dies. Started with `-s lifeline`; needs `-noinput`.
-module(lifeline).

-export([start/0]).

-spec start() -> pid().
start() ->
    spawn(fun() -> wait(open_port({fd, 0, 0}, [eof, in, binary])) end).

wait(Input) ->
    receive
        {Input, eof} -> init:stop();
        {Input, {data, _}} -> wait(Input)
    end.
