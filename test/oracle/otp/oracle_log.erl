%% What happened in one scenario: facts about its processes, and events with the moment at which they happened.
%%
%% Every process writes its own events, so what it writes is ordered by cause. The end of a process is seen by tracing:
%% the trace carries a moment before any link or monitor learnt of it, of the same clock.

-module(oracle_log).

-export([new/1, delete/1, close/1, latest/2, process/3, instance/2, name/2, text/2]).
-export([enter/5, started/4, ignored/2, failed/3, terminating/2, mail/4, helper/2]).
-export([gate/1, gate/2, hold/1, holding/1]).
-export([take_exits/1, take_events/1, living/1, helpers/1, count/1]).
-export([install/0, installed/0, log/2]).

-include("oracle.hrl").

new(#{per_child := PerChild, jitter := Jitter, id := Id}) ->
    #env{
        driver = self(),
        per_child = PerChild,
        jitter = Jitter,
        prefix = [atom_to_list(Id), $/],
        facts = ets:new(facts, [public, set]),
        events = ets:new(events, [public, ordered_set])
    }.

delete(#env{facts = Facts, events = Events}) ->
    ets:delete(Facts),
    ets:delete(Events).

%% From here on nothing is written: what still runs is cleared away.
close(#env{facts = Facts}) -> ets:insert(Facts, {closed, true}).

%% The process of that path that was started last, dead or alive.
latest(#env{facts = Facts}, Path) ->
    case ets:lookup(Facts, {latest, Path}) of
        [{_, Pid}] -> Pid;
        [] -> undefined
    end.

%% The process that was that attempt at a path.
process(Env, Path, latest) ->
    latest(Env, Path);
process(#env{facts = Facts}, Path, Attempt) ->
    case ets:match(Facts, {{process, '$1'}, #instance{path = Path, attempt = Attempt, _ = '_'}}) of
        [[Pid]] -> Pid;
        [] -> undefined
    end.

instance(#env{facts = Facts}, Pid) ->
    case ets:lookup(Facts, {process, Pid}) of
        [{_, Instance}] -> Instance;
        [] -> undefined
    end.

%% How a trace names a process.
name(#env{driver = Driver}, Driver) ->
    "driver";
name(Env, Pid) when is_pid(Pid) ->
    case instance(Env, Pid) of
        undefined -> "other";
        Instance -> full_name(Instance)
    end;
name(_Env, _Other) ->
    "other".

full_name(#instance{path = Path, attempt = Attempt}) -> Path ++ "#" ++ integer_to_list(Attempt).

short_name(#instance{id = Id, attempt = Attempt}) -> Id ++ "#" ++ integer_to_list(Attempt).

%% An exit reason as a trace writes it.
text(_Env, Atom) when is_atom(Atom) -> atom_to_list(Atom);
text(Env, {shutdown, Reason}) -> ["{shutdown,", text(Env, Reason), "}"];
text(Env, {failed_to_start_child, Id, Reason}) ->
    ["{failed_to_start_child,", text(Env, Id), ",", text(Env, Reason), "}"];
text(Env, {already_started, Pid}) when is_pid(Pid) -> ["{already_started,", name(Env, Pid), "}"];
text(_Env, {bad_combination, Pairs}) ->
    ["{bad_combination", [io_lib:format(",~p=~p", [Key, Value]) || {Key, Value} <- Pairs], "}"];
text(Env, {Error, Stack}) when is_list(Stack) -> ["error:", text(Env, Error)];
text(_Env, Other) -> io_lib:format("~0p", [Other]).

%% ---- what processes of the tree say about themselves

%% At the very beginning of its init: this process is the next attempt of that path.
enter(#env{facts = Facts, driver = Driver} = Env, Type, Path, Id, Lane) ->
    erlang:trace(self(), true, [procs, strict_monotonic_timestamp, {tracer, Driver}]),
    Attempt = ets:update_counter(Facts, {attempts, Path}, 1, {{attempts, Path}, 0}),
    Instance = #instance{path = Path, id = Id, attempt = Attempt, type = Type, lane = Lane},
    ets:insert(Facts, [{{process, self()}, Instance}, {{latest, Path}, self()}]),
    put(oracle, {Env, Instance}),
    Instance.

%% The three ends of a start, said by the parent when the start call has returned.
started(#env{facts = Facts} = Env, Pid, Type, Path) ->
    ets:insert(Facts, {{started, Pid}}),
    Instance = attempted(Env, Path),
    case Type of
        supervisor -> note(Env, full_name(Instance), "up");
        worker -> ok
    end,
    note(Env, lane(Env, Instance), ["start ", short_name(Instance)]).

ignored(Env, Path) ->
    Instance = attempted(Env, Path),
    note(Env, lane(Env, Instance), ["ignore ", short_name(Instance)]).

failed(Env, Path, Reason) ->
    Instance = attempted(Env, Path),
    note(Env, lane(Env, Instance), ["fail ", short_name(Instance), " ", text(Env, Reason)]).

attempted(Env, Path) -> instance(Env, latest(Env, Path)).

terminating(#env{facts = Facts}, Reason) -> ets:insert(Facts, {{terminating, self()}, Reason}).

mail(Env, Tag, From, Reason) ->
    Lane = ["@", name(Env, self())],
    note(Env, Lane, [Tag, " ", name(Env, From), " ", text(Env, Reason)], {mail, self()}).

helper(#env{facts = Facts}, Pid) -> ets:insert(Facts, {{helper, Pid}}).

%% ---- the gate: starts that are to be held wait in front of it

gate(#env{facts = Facts} = Env, closed) ->
    ets:insert(Facts, {gate, closed}),
    Env;
gate(#env{facts = Facts} = Env, open) ->
    ets:delete(Facts, gate),
    [Pid ! open || Pid <- holding(Env)],
    Env.

gate(#env{facts = Facts}) ->
    case ets:member(Facts, gate) of
        true -> closed;
        false -> open
    end.

holding(#env{facts = Facts}) -> [Pid || [Pid] <- ets:match(Facts, {{holding, '$1'}})].

%% Waits until the gate is opened, if it is closed.
hold(#env{facts = Facts} = Env) ->
    case gate(Env) of
        open ->
            ok;
        closed ->
            ets:insert(Facts, {{holding, self()}}),
            receive
                open -> ets:delete(Facts, {holding, self()})
            end
    end.

%% ---- events

note(Env, Lane, Line) -> note(Env, Lane, Line, none).

note(Env, Lane, Line, About) -> note_at(Env, {now_strict(), 0}, Lane, Line, About).

note_at(#env{facts = Facts, events = Events}, Key, Lane, Line, About) ->
    case ets:member(Facts, closed) of
        true -> false;
        false -> ets:insert(Events, {Key, {lists:flatten(Lane), lists:flatten(Line), About}})
    end.

%% Written as the trace writes its moments, so that both have one order.
now_strict() -> {erlang:monotonic_time(nanosecond), erlang:unique_integer([monotonic])}.

%% Where the parent tells of a child.
lane(#env{per_child = true}, #instance{lane = Lane, id = Id}) when Lane =/= "top" -> [Lane, ":", Id];
lane(_Env, #instance{lane = Lane}) -> Lane.

%% Reads the traces that have come in so far.
take_exits(Env) ->
    receive
        {trace_ts, Pid, exit, Reason, Moment} ->
            note_exit(Env, Pid, Reason, Moment),
            take_exits(Env);
        Trace when element(1, Trace) =:= trace_ts ->
            take_exits(Env)
    after 0 -> ok
    end.

note_exit(#env{facts = Facts} = Env, Pid, Reason, Moment) ->
    Instance = instance(Env, Pid),
    ets:insert(Facts, {{exited, Pid}}),
    case Instance#instance.type of
        supervisor -> note_at(Env, {Moment, 0}, full_name(Instance), ["down ", text(Env, Reason)], none);
        worker -> ok
    end,
    case ets:member(Facts, {started, Pid}) of
        true ->
            Line = ["exit ", short_name(Instance), " ", text(Env, Reason), terminate_text(Env, Pid)],
            note_at(Env, {Moment, 1}, lane(Env, Instance), Line, {exit, Pid});
        false ->
            ok
    end.

terminate_text(#env{facts = Facts} = Env, Pid) ->
    case ets:lookup(Facts, {terminating, Pid}) of
        [{_, Reason}] -> [" T=", text(Env, Reason)];
        [] -> ""
    end.

%% All processes of the tree whose end has not been read yet.
living(#env{facts = Facts}) ->
    All = ets:select(Facts, [{{{process, '$1'}, '$2'}, [], [{{'$1', '$2'}}]}]),
    [Each || {Pid, _} = Each <- All, not ets:member(Facts, {exited, Pid})].

helpers(#env{facts = Facts}) -> [Pid || [Pid] <- ets:match(Facts, {{helper, '$1'}})].

count(#env{events = Events}) -> ets:info(Events, size).

%% The events since the last time, in order.
take_events(#env{events = Events}) ->
    [
        begin
            ets:delete(Events, Key),
            Event
        end
     || {Key, Event} <- ets:tab2list(Events)
    ].

%% ---- supervisor reports: a logger handler runs in the process that logs

install() ->
    ok = logger:set_primary_config(level, error),
    [ok = logger:remove_handler(Id) || Id <- logger:get_handler_ids()],
    ok = logger:add_handler(?MODULE, ?MODULE, #{level => error}).

%% The logger drops a handler that fails, and then nothing would be reported any more.
installed() -> lists:member(?MODULE, logger:get_handler_ids()).

log(#{msg := {report, #{label := {supervisor, _}, report := Report}}}, _Config) ->
    {Env, #instance{} = Supervisor} = get(oracle),
    oracle_worker:pause(Env),
    Offender = proplists:get_value(offender, Report),
    Id = reported_id(Env, Offender),
    Lane = lane(Env, #instance{lane = full_name(Supervisor), id = Id}),
    Context = atom_to_list(proplists:get_value(errorContext, Report)),
    Reason = text(Env, proplists:get_value(reason, Report)),
    note(Env, Lane, ["report ", Context, " ", Id, " ", Reason, count_text(Offender)]);
log(_Event, _Config) ->
    ok.

%% Children of one template share its id: the process tells which one it was.
reported_id(Env, Offender) ->
    Pid =
        case proplists:get_value(pid, Offender) of
            {restarting, Old} -> Old;
            Other -> Other
        end,
    case is_pid(Pid) andalso instance(Env, Pid) of
        #instance{id = Id} -> Id;
        _ -> atom_to_list(proplists:get_value(id, Offender))
    end.

count_text(Offender) ->
    case proplists:get_value(nb_children, Offender) of
        undefined -> "";
        Count -> [" n=", integer_to_list(Count)]
    end.
