%% When a tree is at rest: nobody has anything left to do, and nothing is on its way to anybody.

-module(oracle_rest).

-export([wait/1, wait_or_hold/1]).

-include("oracle.hrl").

%% No action takes this long: what is not at rest by then never will be.
-define(LIMIT_MS, 60000).
-define(NAP_MAX_MS, 5).

wait(Env) -> wait(Env, fun() -> false end).

%% Until a start is being held, or until the tree is at rest because none is.
wait_or_hold(Env) -> wait(Env, fun() -> oracle_log:holding(Env) =/= [] end).

wait(Env, Enough) -> wait(Env, Enough, none, 0, erlang:monotonic_time(millisecond) + ?LIMIT_MS).

%% Two looks in a row must find the same calm: the first may have passed a message that was still being sent.
wait(Env, Enough, Before, NapMs, Limit) ->
    Look = look(Env),
    case Enough() orelse (Look =/= busy andalso Look =:= Before) of
        true ->
            oracle_log:take_exits(Env);
        false ->
            case erlang:monotonic_time(millisecond) > Limit of
                true -> error({never_at_rest, [Each || Each <- oracle_log:living(Env)]});
                false -> nap(NapMs)
            end,
            Next =
                case Look of
                    busy -> min(NapMs + 1, ?NAP_MAX_MS);
                    _ -> 0
                end,
            wait(Env, Enough, Look, Next, Limit)
    end.

nap(0) -> erlang:yield();
nap(Ms) -> timer:sleep(Ms).

%% Something that is equal for two looks only if nothing happened in between.
look(Env) ->
    oracle_log:take_exits(Env),
    Living = oracle_log:living(Env),
    Calm =
        not lists:any(fun is_process_alive/1, oracle_log:helpers(Env)) andalso
            lists:all(fun({Pid, _}) -> calm(Pid) end, Living),
    case Calm of
        true -> {oracle_log:count(Env), lists:sort([Pid || {Pid, _} <- Living])};
        false -> busy
    end.

%% It waits for its next message, has none, and owes nobody the news of a death. One that is dead is not calm until its
%% end was read from the trace.
calm(Pid) ->
    case process_info(Pid, [current_function, status, message_queue_len, links, monitors]) of
        [
            {current_function, {gen_server, loop, _}},
            {status, waiting},
            {message_queue_len, 0},
            {links, Links},
            {monitors, Monitors}
        ] ->
            lists:all(fun alive/1, Links) andalso lists:all(fun({process, Other}) -> alive(Other) end, Monitors);
        _ ->
            false
    end.

alive(Pid) when is_pid(Pid) -> is_process_alive(Pid);
alive(_Port) -> true.
