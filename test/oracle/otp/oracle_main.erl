%% Runs scenarios on the real supervisor and gen_server of this Erlang/OTP and writes their traces:
%%
%%     erl -noshell -run oracle_main main IN OUT AT_ONCE JITTER
%%
%% IN holds one scenario a term. OUT gets one line of JSON for each, in the order in which they end: {"id","trace"}, or
%% {"id","failed"} with why there is no trace. That many run at once: mostly they wait. JITTER 0 makes no delays.

-module(oracle_main).

-export([main/1]).

%% A call that is never answered must not hold all others up.
-define(LIMIT_MS, 120000).

main([In, Out, AtOnce, Jitter]) ->
    ok = oracle_log:install(),
    {ok, Scenarios} = file:consult(In),
    {ok, File} = file:open(Out, [write, raw, delayed_write]),
    run(Scenarios, #{}, list_to_integer(AtOnce), list_to_integer(Jitter), File),
    ok = file:close(File),
    case oracle_log:installed() of
        true ->
            halt(0);
        false ->
            io:put_chars(standard_error, "the handler of supervisor reports has failed\n"),
            halt(1)
    end.

run([], Running, _AtOnce, _Jitter, _File) when map_size(Running) =:= 0 ->
    ok;
run([#{id := Id} = Scenario | More], Running, AtOnce, Jitter, File) when map_size(Running) < AtOnce ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({trace, oracle_scenario:run(Scenario, Jitter)}) end),
    {ok, _} = timer:exit_after(?LIMIT_MS, Pid, no_end),
    run(More, Running#{Ref => Id}, AtOnce, Jitter, File);
run(Waiting, Running, AtOnce, Jitter, File) ->
    receive
        {'DOWN', Ref, process, _Pid, Reason} ->
            {Id, Left} = maps:take(Ref, Running),
            Line = {[{id, {text, atom_to_list(Id)}}, outcome(Reason)]},
            ok = file:write(File, [oracle_json:write(Line), "\n"]),
            run(Waiting, Left, AtOnce, Jitter, File)
    end.

outcome({trace, Trace}) -> {trace, Trace};
outcome(Reason) -> {failed, {text, io_lib:format("~0p", [Reason])}}.
