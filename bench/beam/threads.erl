%% The workload `threads` on the BEAM, on two schedulers; its definition is in bench/workloads/threads.ts.
-module(threads).
-behaviour(gen_server).
-export([cast/1, send/1, kibibyte/1, large/1, shared/1, fan_in/1, ping_pong/1, call/1, parked/1, loaded/1, call_many/1,
         spawn/1, start/1, idle/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-define(IN_FLIGHT, 64).
-define(PAUSE_MS, 2).
-define(STREAM_MS, 1).
-define(STREAM_MESSAGES, 128).
-define(SPAWNS, 100).

%% The server counts what comes: {sum of calls, messages, bytes}.
init(_) -> {ok, {0, 0, 0}}.
handle_call({add, N}, _From, {Sum, Count, Bytes}) -> {reply, Sum + N, {Sum + N, Count, Bytes}};
handle_call(take, _From, {Sum, Count, Bytes}) -> {reply, {Count, Bytes}, {Sum, 0, 0}}.
handle_cast({add, _Ref, N}, State) -> {noreply, counted(State, N)};
handle_cast({bytes, Data}, State) -> {noreply, counted(State, byte_size(Data))}.
handle_info({add, _Ref, N}, State) -> {noreply, counted(State, N)};
handle_info({ping, From, N}, State) -> From ! {pong, N}, {noreply, State}.

counted({Sum, Count, Bytes}, N) -> {Sum, Count + 1, Bytes + N}.

%% Runs in a process of the first scheduler, with the server on the second.
with_server(Run) ->
    Parent = self(),
    Ref = make_ref(),
    erlang:spawn_opt(fun() ->
        {ok, Server} = start_far(),
        Answer = Run(Server),
        exit(Server, kill),
        Parent ! {Ref, Answer}
    end, [link, {scheduler, 1}]),
    receive {Ref, Answer} -> Answer end.

start_far() -> gen_server:start(?MODULE, [], [{spawn_opt, [{scheduler, 2}]}]).

%% Until the server has counted them all.
one_way(Count, Each, Send) ->
    with_server(fun(Server) ->
        contender:cost(Count, fun() ->
            repeat(Count, fun(I) -> Send(Server, I) end),
            {Count, Bytes} = gen_server:call(Server, take, infinity),
            Bytes = Count * Each
        end)
    end).

cast(Count) -> one_way(Count, 1, fun(Server, I) -> gen_server:cast(Server, {add, I, 1}) end).

%% Without gen_server on the side of the sender.
send(Count) -> one_way(Count, 1, fun(Server, I) -> Server ! {add, I, 1} end).

%% Binaries of that size are shared by all processes: nothing of them is copied.
kibibyte(Count) -> bytes(Count, 1024).
large(Count) -> bytes(Count, 64 * 1024).
shared(Count) -> bytes(Count, 64 * 1024).

bytes(Count, Size) ->
    Data = binary:copy(<<7>>, Size),
    one_way(Count, Size, fun(Server, _) -> gen_server:cast(Server, {bytes, Data}) end).

fan_in(Total) ->
    Each = ceil(Total / 8),
    Count = 8 * Each,
    with_server(fun(Server) ->
        contender:cost(Count, fun() ->
            Send = fun() -> repeat(Each, fun(I) -> gen_server:cast(Server, {add, I, 1}) end) end,
            near(8, Send),
            {Count, Count} = gen_server:call(Server, take, infinity)
        end)
    end).

%% That many processes of the first scheduler, until all have ended.
near(Number, Run) ->
    Spawned = [spawn_opt(Run, [monitor, {scheduler, 1}]) || _ <- lists:seq(1, Number)],
    [receive {'DOWN', Ref, process, Pid, normal} -> ok end || {Pid, Ref} <- Spawned].

%% Bare processes: the quickest that the BEAM has.
ping_pong(Count) ->
    with_server(fun(_) ->
        B = spawn_opt(fun ponger/0, [{scheduler, 2}]),
        Cost = contender:cost(Count, fun() -> pinger(B, Count) end),
        exit(B, kill),
        Cost
    end).

pinger(_, 0) -> ok;
pinger(B, N) ->
    B ! {ping, self(), N},
    receive {pong, N} -> ok end,
    pinger(B, N - 1).

ponger() -> receive {ping, From, N} -> From ! {pong, N} end, ponger().

call(Count) -> with_server(fun(Server) -> latency(Count, fun() -> gen_server:call(Server, {add, 1}) end, 0) end).

parked(Count) ->
    with_server(fun(Server) -> latency(Count, fun() -> gen_server:call(Server, {add, 1}) end, ?PAUSE_MS) end).

loaded(Count) ->
    with_server(fun(Server) ->
        Stream = spawn_opt(fun() -> stream(Server) end, [{scheduler, 1}]),
        Latency = latency(Count, fun() -> gen_server:call(Server, {add, 1}) end, 0),
        exit(Stream, kill),
        Latency
    end).

stream(Server) ->
    receive after ?STREAM_MS -> ok end,
    repeat(?STREAM_MESSAGES, fun(I) -> gen_server:cast(Server, {add, I, 1}) end),
    stream(Server).

%% One round trip after the other; in microseconds.
latency(Count, Trip, PauseMs) ->
    Start = erlang:monotonic_time(nanosecond),
    {Cpu, Us} = cpu_and(fun() -> trips(Count, Trip, PauseMs, []) end),
    Wall = erlang:monotonic_time(nanosecond) - Start,
    Sorted = list_to_tuple(lists:sort(Us)),
    At = fun(Rank) -> element(max(1, ceil(tuple_size(Sorted) * Rank / 100)), Sorted) end,
    io_lib:format("{\"p50\":~w,\"p99\":~w,\"cpuNs\":~w,\"wallNs\":~w}", [At(50), At(99), Cpu / Count, Wall / Count]).

trips(0, _, _, Us) -> Us;
trips(N, Trip, PauseMs, Us) ->
    case PauseMs of
        0 -> ok;
        _ -> receive after PauseMs -> ok end
    end,
    Start = erlang:monotonic_time(nanosecond),
    Trip(),
    trips(N - 1, Trip, PauseMs, [(erlang:monotonic_time(nanosecond) - Start) / 1000 | Us]).

cpu_and(Run) ->
    Self = self(),
    Cpu = contender:cpu_ns(fun() -> Self ! {result, Run()} end),
    receive {result, Result} -> {Cpu, Result} end.

call_many(Total) ->
    Each = ceil(Total / ?IN_FLIGHT),
    with_server(fun(Server) ->
        contender:cost(Each * ?IN_FLIGHT, fun() ->
            near(?IN_FLIGHT, fun() -> repeat(Each, fun(_) -> gen_server:call(Server, {add, 1}) end) end)
        end)
    end).

spawn(Count) -> with_server(fun(_) -> contender:cost(Count, fun() -> spawns(Count) end) end).

spawns(Left) when Left =< 0 -> ok;
spawns(Left) ->
    Parent = self(),
    Some = min(?SPAWNS, Left),
    repeat(Some, fun(_) -> spawn_opt(fun() -> Parent ! done end, [{scheduler, 2}]) end),
    repeat(Some, fun(_) -> receive done -> ok end end),
    spawns(Left - Some).

start(Count) ->
    with_server(fun(_) ->
        contender:cost(Count, fun() ->
            repeat(Count, fun(_) -> {ok, Pid} = start_far(), exit(Pid, kill) end)
        end)
    end).

%% The argument is in percent of five seconds.
idle(Percent) ->
    Ms = 50 * Percent,
    Cpu = contender:cpu_ns(fun() -> timer:sleep(Ms) end),
    io_lib:format("{\"cpuMs\":~w}", [Cpu / 1.0e3 / Ms]).

repeat(0, _) -> ok;
repeat(N, Run) -> Run(N), repeat(N - 1, Run).
