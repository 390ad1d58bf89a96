%% Every request back as it came, what is none is dropped: one process per connection, active sockets, line framing.
%% The first letter tells them apart: nothing is parsed.
-module(tcp_echo).
-export([address/1, cpu/1]).

address(_) ->
    Asker = self(),
    spawn(fun() -> listen(Asker) end),
    receive {port, Port} -> io_lib:format("{\"port\":~w}", [Port]) end.

%% Time of all threads so far, in microseconds.
cpu(_) ->
    io_lib:format("{\"value\":~w}", [contender:cpu_ns() / 1000]).

listen(Asker) ->
    Options = [binary, {active, false}, {packet, line}, {nodelay, true}, {backlog, 1024}, {buffer, 4096}],
    {ok, Listening} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {reuseaddr, true} | Options]),
    {ok, Port} = inet:port(Listening),
    Asker ! {port, Port},
    accept(Listening).

accept(Listening) ->
    {ok, Socket} = gen_tcp:accept(Listening),
    Connection = spawn(fun() -> receive go -> serve(Socket) end end),
    ok = gen_tcp:controlling_process(Socket, Connection),
    Connection ! go,
    accept(Listening).

serve(Socket) ->
    inet:setopts(Socket, [{active, true}]),
    echo(Socket).

echo(Socket) ->
    receive
        {tcp, Socket, <<"{\"i", _/binary>> = Line} ->
            gen_tcp:send(Socket, Line),
            echo(Socket);
        {tcp, Socket, _} -> echo(Socket);
        {tcp_closed, Socket} -> ok;
        {tcp_error, Socket, _} -> ok
    end.
