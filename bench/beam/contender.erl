%% What a contender on the BEAM runs, as contender-program.ts does on Node.js: a question per line of standard input,
%% "operation argument", each answered with one line of JSON. The end of the input ends it.
-module(contender).
-export([main/1, cost/2, cpu_ns/0, cpu_ns/1]).

main([Module]) ->
    %% Nobody listens to the reports of supervisors and crashes on either side.
    logger:set_primary_config(level, none),
    {module, Module} = code:ensure_loaded(Module),
    loop(Module).

loop(Module) ->
    case io:get_line("") of
        eof ->
            halt(0);
        Line ->
            [Name, Argument] = string:lexemes(Line, " \n"),
            io:put_chars([answer(Module, list_to_atom(Name), list_to_integer(Argument)), $\n]),
            loop(Module)
    end.

%% Each run has a process of its own, so that it starts with an empty heap.
answer(Module, Name, Argument) ->
    case erlang:function_exported(Module, Name, 1) of
        true ->
            {_, Monitor} = spawn_monitor(fun() -> exit({answer, Module:Name(Argument)}) end),
            receive
                {'DOWN', Monitor, process, _, {answer, Json}} -> Json;
                {'DOWN', Monitor, process, _, Reason} -> exit({Name, Reason})
            end;
        false ->
            io_lib:format("{\"unknown\":\"~s\"}", [Name])
    end.

%% CPU and wall time of one of Count operations.
cost(Count, Run) ->
    Start = erlang:monotonic_time(nanosecond),
    Cpu = cpu_ns(Run),
    Wall = erlang:monotonic_time(nanosecond) - Start,
    io_lib:format("{\"cpuNs\":~w,\"wallNs\":~w}", [Cpu / Count, Wall / Count]).

cpu_ns(Run) ->
    Before = cpu_ns(),
    Run(),
    cpu_ns() - Before.

%% User and system time of all threads. Elsewhere than on Linux user time only, to the millisecond.
cpu_ns() ->
    case file:list_dir("/proc/self/task") of
        {ok, Threads} -> lists:sum([run_time(Thread) || Thread <- Threads]);
        {error, _} -> element(1, statistics(runtime)) * 1000000
    end.

run_time(Thread) ->
    {ok, Text} = file:read_file(["/proc/self/task/", Thread, "/schedstat"]),
    [Ns | _] = binary:split(Text, <<" ">>),
    binary_to_integer(Ns).
