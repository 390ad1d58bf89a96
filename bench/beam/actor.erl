%% The workload `actor` on the BEAM; its definition is in bench/workloads/actor.ts.
-module(actor).
-behaviour(gen_server).
-export([call/1, cast/1, ping_pong/1, spawn_exit/1, spawn_monitor/1, start_child/1, restart/1, restart_storm/1,
         idle_processes/1, idle_servers/1, open_echo/1, flood/1, drained/1]).
-export([init/1, handle_call/3, handle_cast/2, start_reborn/1]).

-define(BURST, 1000).

%% The server of all operations: it adds up.
init({reborn, Killer}) -> Killer ! {up, self()}, {ok, 0};
init(Sum) -> {ok, Sum}.
handle_call({add, N}, _From, Sum) -> {reply, Sum + N, Sum + N}.
handle_cast({add, N}, Sum) -> {noreply, Sum + N};
handle_cast({work, Steps}, Sum) -> spin(Steps, Sum), {noreply, Sum + 1}.

with_server(Run) ->
    {ok, Server} = gen_server:start(?MODULE, 0, []),
    Answer = Run(Server),
    exit(Server, kill),
    Answer.

call(Count) ->
    with_server(fun(Server) ->
        Cost = contender:cost(Count, fun() -> calls(Server, Count) end),
        Count = gen_server:call(Server, {add, 0}),
        Cost
    end).

calls(_, 0) -> ok;
calls(Server, N) -> gen_server:call(Server, {add, 1}), calls(Server, N - 1).

cast(Count) ->
    with_server(fun(Server) ->
        Cost = contender:cost(Count, fun() -> bursts(Server, Count) end),
        Count = gen_server:call(Server, {add, 0}),
        Cost
    end).

bursts(_, Left) when Left =< 0 -> ok;
bursts(Server, Left) ->
    casts(Server, min(?BURST, Left)),
    gen_server:call(Server, {add, 0}),
    bursts(Server, Left - ?BURST).

casts(_, 0) -> ok;
casts(Server, N) -> gen_server:cast(Server, {add, 1}), casts(Server, N - 1).

%% Bare processes: the quickest that the BEAM has.
ping_pong(Count) ->
    B = spawn(fun ponger/0),
    Cost = contender:cost(Count, fun() -> pinger(B, Count) end),
    exit(B, kill),
    Cost.

pinger(_, 0) -> ok;
pinger(B, N) ->
    B ! {ping, self(), N},
    receive {pong, N} -> ok end,
    pinger(B, N - 1).

ponger() -> receive {ping, From, N} -> From ! {pong, N} end, ponger().

spawn_exit(Count) -> contender:cost(Count, fun() -> spawn_bursts(Count) end).

spawn_bursts(Left) when Left =< 0 -> ok;
spawn_bursts(Left) ->
    Parent = self(),
    Burst = min(?BURST, Left),
    repeat(Burst, fun() -> spawn(fun() -> Parent ! done end) end),
    repeat(Burst, fun() -> receive done -> ok end end),
    spawn_bursts(Left - Burst).

spawn_monitor(Count) ->
    contender:cost(Count, fun() ->
        repeat(Count, fun() ->
            {Pid, Ref} = erlang:spawn_monitor(fun() -> ok end),
            receive {'DOWN', Ref, process, Pid, normal} -> ok end
        end)
    end).

repeat(0, _) -> ok;
repeat(N, Run) -> Run(), repeat(N - 1, Run).

start_child(Count) ->
    process_flag(trap_exit, true),
    Child = #{id => child, start => {gen_server, start_link, [?MODULE, 0, []]}, restart => temporary,
              shutdown => brutal_kill},
    Supervisor = start_supervisor(#{strategy => simple_one_for_one}, Child),
    Start = fun() -> {ok, _} = supervisor:start_child(Supervisor, []) end,
    Cost = contender:cost(Count, fun() -> repeat(Count, Start) end),
    stop_supervisor(Supervisor),
    Cost.

start_supervisor(Flags, Child) ->
    {ok, Supervisor} = supervisor:start_link(actor_supervisor, {Flags, [Child]}),
    Supervisor.

stop_supervisor(Supervisor) ->
    exit(Supervisor, shutdown),
    receive {'EXIT', Supervisor, _} -> ok end.

%% No supervisor has more than 200 restarts behind it.
restart(Count) -> restarts(ceil(Count / 200), min(Count, 200)).

%% All restarts are of one supervisor, within one period.
restart_storm(Count) -> restarts(1, Count).

restarts(Number, RestartsOfEach) ->
    process_flag(trap_exit, true),
    Flags = #{intensity => 10000000, period => 60},
    Child = #{id => child, start => {?MODULE, start_reborn, [self()]}},
    Started = [{start_supervisor(Flags, Child), receive {up, Pid} -> Pid end} || _ <- lists:seq(1, Number)],
    Cost = contender:cost(Number * RestartsOfEach, fun() ->
        lists:foreach(fun({_, Pid}) -> kill(RestartsOfEach, Pid) end, Started)
    end),
    lists:foreach(fun({Supervisor, _}) -> stop_supervisor(Supervisor) end, Started),
    Cost.

start_reborn(Killer) -> gen_server:start_link(?MODULE, {reborn, Killer}, []).

kill(0, _) -> ok;
kill(N, Pid) ->
    exit(Pid, kill),
    receive {up, Next} -> kill(N - 1, Next) end.

idle_processes(Count) -> bytes(Count, fun() -> spawn(fun() -> receive stop -> ok end end) end).

idle_servers(Count) -> bytes(Count, fun() -> {ok, Pid} = gen_server:start(?MODULE, 0, []), Pid end).

%% What the emulator has more than before, less the list that holds the pids; and what one process says of itself.
bytes(Count, Create) ->
    erlang:garbage_collect(),
    Before = erlang:memory(total),
    Pids = [Create() || _ <- lists:seq(1, Count)],
    erlang:garbage_collect(),
    Bytes = erlang:memory(total) - Before - Count * 2 * erlang:system_info(wordsize),
    {memory, Own} = process_info(hd(Pids), memory),
    io_lib:format("{\"bytes\":~w,\"processInfo\":~w}", [Bytes / Count, Own]).

%% A process that outlives this run owns the sockets.
open_echo(_) ->
    Parent = self(),
    spawn(fun() ->
        {ok, Listener} = gen_tcp:listen(0, [binary, {ip, {127, 0, 0, 1}}, {active, true}, {nodelay, true}]),
        {ok, Port} = inet:port(Listener),
        Parent ! {port, Port},
        {ok, Socket} = gen_tcp:accept(Listener),
        echo(Socket)
    end),
    receive {port, Port} -> io_lib:format("{\"port\":~w}", [Port]) end.

echo(Socket) ->
    receive
        {tcp, Socket, Data} -> ok = gen_tcp:send(Socket, Data), echo(Socket);
        {tcp_closed, Socket} -> ok
    end.

%% The server outlives this run; it and the sleeper are found by name.
flood(Count) ->
    Steps = calibrate(),
    {ok, Worker} = gen_server:start({local, worker}, ?MODULE, 0, []),
    repeat(Count, fun() -> gen_server:cast(Worker, {work, Steps}) end),
    register(sleeper, spawn(fun() -> sleeper([]) end)),
    io_lib:format("{\"queued\":~w}", [Count]).

%% Handled in order: the sum counts all that came before.
drained(_) ->
    _ = gen_server:call(worker, {add, 0}, infinity),
    sleeper ! {waits, self()},
    receive {waits, Waits} -> ok end,
    exit(whereis(worker), kill),
    ["{\"waitsMs\":[", lists:join($,, [io_lib:format("~w", [Ns / 1.0e6]) || Ns <- Waits]), "]}"].

-define(SLEEP_MS, 2).

sleeper(Waits) ->
    Due = erlang:monotonic_time(nanosecond) + ?SLEEP_MS * 1000000,
    erlang:send_after(?SLEEP_MS, self(), wake),
    receive
        wake -> sleeper([erlang:monotonic_time(nanosecond) - Due | Waits]);
        {waits, From} -> From ! {waits, Waits}
    end.

spin(0, X) -> X;
spin(Steps, X) -> spin(Steps - 1, (X * 1103515245 + 12345) band 16#7fffffff).

%% How many steps take 2 us of CPU time.
calibrate() ->
    Trial = 10000000,
    Fastest = lists:min([contender:cpu_ns(fun() -> spin(Trial, 1) end) || _ <- lists:seq(1, 5)]),
    round(Trial * 2000 / Fastest).
